from django.apps import AppConfig


class EffectsConfig(AppConfig):
    name = "tests.events.app"
    label = "effects"

    def ready(self):
        from tests.events.app import handlers  # noqa: F401
