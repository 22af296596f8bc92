from django.apps import AppConfig


class LifecycleConfig(AppConfig):
    name = "crm.lifecycle"
    label = "lifecycle"
