from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "crm.campaigns"
    label = "campaigns"

    def ready(self):
        from contacts.attached import on_merge, tell
        from crm.campaigns import events, handlers, nav, uses  # noqa: F401
        from crm.campaigns.merging import move_people
        from crm.campaigns.told import names

        tell("campaign", names=names)
        on_merge(move_people)
