from django.apps import AppConfig

from crm.kit.translation import gettext_lazy as _


class LifecycleConfig(AppConfig):
    name = "crm.lifecycle"
    label = "lifecycle"
    verbose_name = _("Stage requirements")
