from django.apps import AppConfig


class ExceptionsConfig(AppConfig):
    name = "crm.exceptions"
    label = "exceptions"

    def ready(self):
        from crm.exceptions import events, jobs, listing, unreadable  # noqa: F401
