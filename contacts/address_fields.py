"""Fields that name one of a contact's further addresses, e.g. Email 2 or Work phone: columns of lists and of files.

They are read from the addresses. An import adds their values to the contact's addresses.
"""

from collections.abc import Callable
from functools import partial

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from contacts.addresses import EMAIL, PHONE
from contacts.models import ContactAddress
from crm.entities.fields import Field, FieldType
from crm.kit.addresses import HOME, WORK
from crm.kit.translation import gettext_lazy as _

TYPES = {EMAIL: FieldType.EMAIL, PHONE: FieldType.PHONE}


def _value(**which: object) -> Coalesce:
    """Return the expression of the first such address, '' without one."""
    rows = ContactAddress.objects.filter(contact=OuterRef("pk"), **which).order_by("position")
    return Coalesce(Subquery(rows.values("value")[:1]), Value(""))


def _field(key: str, text: str, api: str, kind: str, **which: object) -> Field:
    read: Callable = partial(_value, kind=kind, **which)
    return Field(key, text, TYPES[kind], api=api, editable=False, expression=read)


COMPUTED = (
    _field("email_2", _("Email 2"), "email2", EMAIL, position=1),
    _field("email_3", _("Email 3"), "email3", EMAIL, position=2),
    _field("work_email", _("Work email"), "workEmail", EMAIL, label=WORK),
    _field("home_email", _("Home email"), "homeEmail", EMAIL, label=HOME),
    _field("phone_2", _("Phone 2"), "phone2", PHONE, position=2),
    _field("phone_3", _("Phone 3"), "phone3", PHONE, position=3),
    _field("work_phone", _("Work phone"), "workPhone", PHONE, label=WORK),
    _field("home_phone", _("Home phone"), "homePhone", PHONE, label=HOME),
)
# By key: the kind and label of the address that a column of a file adds.
ADDED = {
    "work_email": (EMAIL, WORK),
    "home_email": (EMAIL, HOME),
    "email_2": (EMAIL, ""),
    "email_3": (EMAIL, ""),
    "work_phone": (PHONE, WORK),
    "home_phone": (PHONE, HOME),
    "phone_2": (PHONE, ""),
    "phone_3": (PHONE, ""),
}
