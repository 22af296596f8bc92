from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "crm.campaigns"
    label = "campaigns"

    def ready(self):
        from contacts.hooks import on_merge, show_in_timeline
        from crm.campaigns import events, handlers, nav, uses  # noqa: F401
        from crm.campaigns.merging import move_people
        from crm.campaigns.timeline import campaign_names

        show_in_timeline("campaign", names=campaign_names)
        on_merge(move_people)
