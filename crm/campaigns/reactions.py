"""Campaigns in contact timelines and merges."""

from contacts.hooks import show_in_contact_timeline
from crm.campaigns import merging  # noqa: F401
from crm.campaigns.timeline import campaigns_for_timeline

show_in_contact_timeline("campaign", names=campaigns_for_timeline)
