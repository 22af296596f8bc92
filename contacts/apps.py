from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"

    def ready(self):
        from audit.undo.hooks import hold_back, on_check, on_take_back, on_undo
        from contacts import anomalies, definitions, entities, events, guards, jobs, lists  # noqa: F401
        from contacts.engagement import on_engaged
        from contacts.hooks import on_merge
        from contacts.imports.events import EventImporter
        from contacts.imports.importer import ContactImporter
        from contacts.merging import move_engagement
        from contacts.reactions import from_activities, from_changed
        from contacts.suppression import follow, keep_events, keep_status
        from contacts.undone import (
            hold_suppressions,
            rename_in_search,
            take_engagement_back,
            turn_last_activity_back,
        )
        from contacts.valid import no_longer_valid
        from crm.events.reactions import react
        from crm.lists.imports.registry import Relation, register, relate

        on_undo(rename_in_search)
        on_undo(turn_last_activity_back)
        on_take_back(take_engagement_back)
        on_check(no_longer_valid)
        react("activity.logged", from_activities)
        react("activity.planned", from_activities)
        react("activity.completed", from_activities)
        react("activity.updated", from_changed)
        react("activity.deleted", from_changed)
        react("activity.undone", from_activities)
        hold_back(hold_suppressions)
        on_engaged(keep_events)
        for event in ("created", "captured", "status_changed"):
            react(f"contact.{event}", keep_status)
        for event in ("updated", "enriched", "merged", "restored", "undone"):
            react(f"contact.{event}", follow)
        on_merge(move_engagement)
        register(ContactImporter)
        register(EventImporter)
        relate("contact", Relation("company", "company"))
