from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ContactsConfig(AppConfig):
    name = "contacts"

    def ready(self):
        from contacts.address_rows import copy_addresses

        post_migrate.connect(copy_addresses, sender=self)
