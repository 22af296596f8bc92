from django.apps import AppConfig


class AnomaliesConfig(AppConfig):
    name = "crm.anomalies"
    label = "exceptions"  # users' word, also used for tables; in Python it has another meaning
