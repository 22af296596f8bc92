from django.apps import AppConfig


class OpportunitiesConfig(AppConfig):
    name = "crm.opportunities"
    label = "opportunities"

    def ready(self):
        from contacts.hooks import on_merge, show_in_timeline
        from crm.lists.imports.registry import Relation, register, relate
        from crm.opportunities import anomalies, board, day, definitions, entities, events, kind, lists, panels  # noqa: F401  # noqa: F401
        from crm.opportunities.imports.importer import OpportunityImporter
        from crm.opportunities.merging import move_opportunities

        show_in_timeline("opportunity")
        on_merge(move_opportunities)
        register(OpportunityImporter)
        relate("opportunity", Relation("company", "company"))
