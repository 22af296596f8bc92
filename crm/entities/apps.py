from django.apps import AppConfig
from django.db.backends.signals import connection_created

from crm.entities.text import register_fold


class EntitiesConfig(AppConfig):
    name = "crm.entities"
    label = "entities"

    def ready(self):
        connection_created.connect(register_fold, dispatch_uid="fold_text")
