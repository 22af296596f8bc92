from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "crm.campaigns"
    label = "campaigns"

    def ready(self):
        from contacts.attached import on_merge, tell
        from crm.campaigns import events, handlers, nav  # noqa: F401
        from crm.campaigns.merging import move_people
        from crm.campaigns.segments import used_by_campaigns
        from crm.campaigns.told import names
        from crm.lists.kept import keep_views

        tell("campaign", names=names)
        on_merge(move_people)
        keep_views(used_by_campaigns)
