from django.apps import AppConfig


class LegacyLeadsConfig(AppConfig):
    name = "crm.legacy_leads"
    label = "legacy_leads"
