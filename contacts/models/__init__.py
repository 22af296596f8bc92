"""The models of this app, by subject."""

from contacts.models.activities import Activity, Participant
from contacts.models.companies import Company, CompanyDomain, FreeMailDomains
from contacts.models.contacts import ROLES, Contact, ContactAddress, contact_keys
from contacts.models.engagement import EngagementEvent
from contacts.models.suppressions import Suppression

__all__ = [
    "ROLES",
    "Activity",
    "Company",
    "CompanyDomain",
    "Contact",
    "ContactAddress",
    "EngagementEvent",
    "FreeMailDomains",
    "Participant",
    "Suppression",
    "contact_keys",
]
