from django.apps import AppConfig


class AnomaliesConfig(AppConfig):
    name = "crm.anomalies"
    label = "exceptions"  # as people call them, and the tables: Python means something else by the word
