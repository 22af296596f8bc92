"""Events of campaigns. Results per recipient are in a table of their own, not in the log."""

from audit.subjects import register
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("campaign", "campaigns.Campaign")
register("campaign_person", "campaigns.CampaignPerson", person="contact_id")
declare(
    EventType(
        "campaign.created", "CREATE", _("Campaign created"), _("{who} created a campaign"), "Created", "megaphone"
    ),
    EventType(
        "campaign.updated", "UPDATE", _("Campaign changed"), _("{who} changed the campaign"), "Updated", "megaphone"
    ),
    EventType(
        "campaign.tested", "TEST", _("Test email sent"), _("{who} sent a test email of the campaign"), "Tested", "mail"
    ),
    EventType(
        "campaign.started", "SEND", _("Campaign started"), _("{who} started sending the campaign"), "Started", "send"
    ),
    EventType(
        "campaign.finished",
        "FINISH",
        _("Campaign finished"),
        _("{who} finished sending the campaign"),
        "Finished",
        "send",
    ),
    EventType(
        "campaign.cancelled",
        "CANCEL",
        _("Campaign canceled"),
        _("{who} canceled the campaign"),
        "Cancelled",
        "circle-x",
    ),
    EventType(
        "campaign.added",
        "UPDATE",
        _("Recipients added"),
        _("{who} added recipients to the campaign"),
        "Added",
        "user-plus",
    ),
    EventType(
        "campaign.retried",
        "RETRY",
        _("Campaign retried"),
        _("{who} retried the failed recipients"),
        "Retried",
        "rotate-cw",
    ),
    EventType("campaign.mailed", "MAIL", _("Campaign email sent"), _("{who} sent the campaign"), "Mailed", "mail"),
    EventType(
        "campaign_person.moved",
        "UPDATE",
        _("Campaign history moved"),
        _("{who} moved the campaign history of a merged contact"),
        "Updated",
        "merge",
    ),
    EventType("campaign_person.due", "", _("Campaign email due")),
)
