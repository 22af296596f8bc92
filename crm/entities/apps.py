from django.apps import AppConfig
from django.db.backends.signals import connection_created

from crm.entities.text import register_fold
from crm.kit.translation import gettext_lazy as _


class EntitiesConfig(AppConfig):
    name = "crm.entities"
    label = "entities"
    verbose_name = _("Custom fields")

    def ready(self):
        connection_created.connect(register_fold, dispatch_uid="fold_text")
