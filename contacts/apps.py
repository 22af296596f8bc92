from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"

    def ready(self):
        from audit.undo import on_undo
        from contacts import entities, events, guards, lists  # noqa: F401
        from contacts.imports.importer import ContactImporter
        from contacts.undone import rename_in_search, turn_last_activity_back
        from crm.lists.imports.registry import Relation, register, relate

        on_undo(rename_in_search)
        on_undo(turn_last_activity_back)
        register(ContactImporter)
        relate("contact", Relation("company", "company"))
