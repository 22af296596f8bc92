from django.apps import AppConfig

from crm.kit.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    name = "crm.events"
    label = "events"
    verbose_name = _("Background jobs")

    def ready(self):
        from crm.events import processes
        from crm.kit.server import beside_the_web

        beside_the_web.append(processes.start_processes)
