from django.apps import AppConfig

from crm.kit.translation import gettext_lazy as _


class LegacyLeadsConfig(AppConfig):
    name = "crm.legacy_leads"
    verbose_name = _("Legacy leads")
