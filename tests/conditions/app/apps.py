from django.apps import AppConfig


class LanguageConfig(AppConfig):
    name = "tests.conditions.app"
    label = "language"

    def ready(self):
        from tests.conditions.app import entities  # noqa: F401
