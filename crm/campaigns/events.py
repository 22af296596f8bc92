"""What can happen to campaigns. What became of each person stands in a table of its own, not in the log."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("campaign", "campaigns.Campaign")
register("campaign_person", "campaigns.CampaignPerson", person="contact_id")
declare(
    EventType("campaign.created", "CREATE", "made a campaign", "Created", "megaphone"),
    EventType("campaign.updated", "UPDATE", "changed the campaign", "Updated", "megaphone"),
    EventType("campaign.tested", "TEST", "sent a test of the campaign", "Tested", "mail"),
    EventType("campaign.started", "SEND", "began to send the campaign", "Started", "send"),
    EventType("campaign.finished", "FINISH", "finished sending the campaign", "Finished", "send"),
    EventType("campaign.cancelled", "CANCEL", "cancelled the campaign", "Cancelled", "circle-x"),
    EventType("campaign.added", "UPDATE", "added people to the campaign", "Added", "user-plus"),
    EventType("campaign.retried", "RETRY", "tried again who had failed", "Retried", "rotate-cw"),
    EventType("campaign.mailed", "MAIL", "sent the campaign", "Mailed", "mail"),
    EventType("campaign_person.moved", "UPDATE", "moved what was sent to them", "Updated", "merge"),
    EventType("campaign_person.due", "", "is to be sent a mail"),
)
