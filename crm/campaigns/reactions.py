"""What campaigns add to contacts: how a timeline calls them, and what becomes of them in a merge."""

from contacts.hooks import show_in_timeline
from crm.campaigns import merging  # noqa: F401
from crm.campaigns.timeline import campaign_names

show_in_timeline("campaign", names=campaign_names)
