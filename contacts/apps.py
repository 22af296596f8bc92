from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"

    def ready(self):
        from contacts import entities, events, guards, lists  # noqa: F401
        from contacts.imports.importer import ContactImporter
        from crm.lists.imports.registry import Relation, register, relate

        register(ContactImporter)
        relate("contact", Relation("company", "company"))
