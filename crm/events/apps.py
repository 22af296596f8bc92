from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "crm.events"
    label = "events"

    def ready(self):
        from crm.events import processes
        from crm.kit.server import beside_the_web

        beside_the_web.append(processes.start_processes)
