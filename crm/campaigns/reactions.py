"""What campaigns add to contacts: how a timeline calls them, and what becomes of them in a merge."""

from contacts.hooks import show_in_contact_timeline
from crm.campaigns import merging  # noqa: F401
from crm.campaigns.timeline import campaigns_for_timeline

show_in_contact_timeline("campaign", names=campaigns_for_timeline)
