"""A contact's addresses: the first of each kind in fields of its own, the others in lists, and all of them as rows.

`email`, `phone` and `mobile` hold the first email, the first phone that isn't labeled mobile, and the first that is;
`email_label` and `phone_label` their labels; `other_emails` and `other_phones` the rest in order. Changes to any of
these fields are changes to the list of addresses.

Why: docs/decisions/0095-addresses-are-values-of-the-contact.md
"""

from collections.abc import Callable, Mapping
from itertools import chain, count

from crm.kit.addresses import MOBILE, Address, read_addresses, write_addresses
from crm.kit.phones import phone_key
from crm.kit.scope import workspace
from crm.kit.text import email_key

EMAIL, PHONE = "email", "phone"  # kinds
EMAIL_FIELDS = ("email", "email_label", "other_emails")
PHONE_FIELDS = ("phone", "phone_label", "mobile", "other_phones")
FIELDS = (*EMAIL_FIELDS, *PHONE_FIELDS)
NONE = Address("")


def emails_of(own: Mapping[str, str]) -> list[Address]:
    """Return the emails in fields, first to last, without repeated ones."""
    first = [Address(own["email"], own["email_label"])] if own["email"] else []
    return first + distinct(read_addresses(own["other_emails"]), email_key, but=first)


def phones_of(own: Mapping[str, str]) -> list[Address]:
    """Return the phones in fields, first to last, without others that repeat an earlier one."""
    fields = (Address(own["phone"], own["phone_label"]), Address(own["mobile"], MOBILE))
    first = [each for each in fields if each.value]  # which may be equal
    return first + distinct(read_addresses(own["other_phones"]), key_of_phone, but=first)


def distinct(addresses: list[Address], key: Callable[[str], str], *, but: list[Address]) -> list[Address]:
    """Return the addresses that repeat none of `but` and no earlier one."""
    found = {key(each.value): each for each in reversed(addresses)}
    known = {key(each.value) for each in but} if addresses else set()
    return [each for each in addresses if found[key(each.value)] is each and key(each.value) not in known]


def key_of_phone(text: str) -> str:
    return phone_key(text, workspace().country)


def fields_of_emails(emails: list[Address]) -> dict[str, str]:
    """Return the values of EMAIL_FIELDS for emails in order."""
    first, *others = emails or [NONE]
    return dict(zip(EMAIL_FIELDS, (first.value, first.label, write_addresses(others)), strict=True))


def fields_of_phones(phones: list[Address]) -> dict[str, str]:
    """Return the values of PHONE_FIELDS for phones in order."""
    phone = next((each for each in phones if each.label != MOBILE), NONE)
    mobile = next((each for each in phones if each.label == MOBILE), NONE)
    others = [each for each in phones if each is not phone and each is not mobile]
    values = (phone.value, phone.label, mobile.value, write_addresses(others))
    return dict(zip(PHONE_FIELDS, values, strict=True))


def arranged(own: Mapping[str, str]) -> dict[str, str]:
    """Return the fields to change so that the first addresses are in their own fields, and none is repeated."""
    values: dict[str, str] = {}
    if own["other_emails"] or (own["email_label"] and not own["email"]):
        values |= fields_of_emails(emails_of(own))
    if own["other_phones"] or own["phone_label"] == MOBILE or (own["phone_label"] and not own["phone"]):
        values |= fields_of_phones(phones_of(own))
    return {key: value for key, value in values.items() if value != own[key]}


def rows_of(own: Mapping[str, str]) -> list[list[str | int]]:
    """Return all addresses as [kind, position, key, value, label]: what the database keeps as ContactAddress.

    Positions 0 and 1 of phones are the fields phone and mobile, also if one of them is empty.
    """
    emails = [[EMAIL, n, email_key(value), value, label] for n, (value, label) in enumerate(emails_of(own))]
    places = chain((n for n, name in enumerate(("phone", "mobile")) if own[name]), count(2))
    phones = zip(places, phones_of(own), strict=False)
    return emails + [[PHONE, n, key_of_phone(value), value, label] for n, (value, label) in phones]
