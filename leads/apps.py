from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"

    def ready(self):
        from audit.undo.hooks import hold_back
        from contacts.hooks import on_merge, show_in_timeline
        from crm.events.reactions import react
        from crm.lists.imports.registry import Relation, on_written, relate
        from leads import (  # noqa: F401
            anomalies,
            board,
            campaigns,
            contact_reactions,
            day,
            definitions,
            entities,
            events,
            guards,
            jobs,
            kind,
            lists,
            panels,
            uses,
        )
        from leads.imports.contacts import NOTE, write_leads
        from leads.imports.history import close_with_contacts, close_with_opportunities, opening
        from leads.legacy import ready  # noqa: F401
        from leads.merging import move_leads
        from leads.open_leads import open_again, open_for_captured, open_for_new
        from leads.scoring import jobs as scoring_jobs  # noqa: F401
        from leads.scoring import reactions
        from leads.scoring.current import install_shipped
        from leads.undone import hold_converted

        show_in_timeline("lead", by_name=False)
        react("contact.created", open_for_new)
        react("contact.captured", open_for_captured)
        react("contact.reopened", open_again)
        react("contact.lost", contact_reactions.lose_with_contacts)
        react("contact.assigned", contact_reactions.follow_owners)
        react("contact.merged", contact_reactions.follow_teams)
        for event in ("updated", "deleted"):
            react(f"activity.{event}", contact_reactions.correct_first_contacts)
        for event in ("logged", "completed"):
            react(f"activity.{event}", contact_reactions.contact_leads)
        react("activity.updated", contact_reactions.contact_leads_retold)
        on_merge(move_leads)
        hold_back(hold_converted)
        relate("contact", Relation("lead", "lead", write_leads, note=NOTE, creating=opening))
        on_written("contact", close_with_contacts)
        on_written("opportunity", close_with_opportunities)
        react("workspace.created", lambda rows, by: install_shipped())
        reactions.register()
