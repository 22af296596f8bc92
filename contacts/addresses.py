"""A contact's addresses: the first of each kind in fields of its own, the others in lists, and all of them as rows.

`email`, `phone` and `mobile` hold the first email, the first phone that isn't labeled mobile, and the first that is;
`email_label` and `phone_label` their labels; `other_emails` and `other_phones` the rest in order. Changes to any of
these fields are changes to the list of addresses.

Why: docs/decisions/0080-addresses-are-values-of-the-contact.md
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import Case, F, QuerySet, TextField, Value, When

from crm.kit.addresses import MOBILE, Address, read_addresses, write_addresses
from crm.kit.phones import phone_key
from crm.kit.scope import workspace
from crm.kit.text import email_key

EMAIL, PHONE = "email", "phone"  # kinds
EMAIL_FIELDS = ("email", "email_label", "other_emails")
PHONE_FIELDS = ("phone", "phone_label", "mobile", "other_phones")
FIELDS = (*EMAIL_FIELDS, *PHONE_FIELDS)
LISTS = ("email_label", "other_emails", "phone_label", "other_phones")  # without these nothing moves
NONE = Address("")


def emails_of(own: Mapping[str, str]) -> list[Address]:
    """Return the emails in fields, first to last, without repeated ones."""
    first = [Address(own["email"], own["email_label"])] if own["email"] else []
    others = read_addresses(own["other_emails"])
    return distinct([*first, *others], key_of_email) if others else first


def phones_of(own: Mapping[str, str]) -> list[Address]:
    """Return the phones in fields, first to last."""
    first = (Address(own["phone"], own["phone_label"]), Address(own["mobile"], MOBILE))
    return [each for each in first if each.value] + read_addresses(own["other_phones"])


def distinct(addresses: Iterable[Address], key: Callable[[Address], Any]) -> list[Address]:
    """Return the addresses that repeat no earlier one."""
    found: dict[Any, Address] = {}
    for each in addresses:
        found.setdefault(key(each), each)
    return list(found.values())


def key_of_email(email: Address) -> str:
    return email_key(email.value)


def key_of_phone(phone: Address) -> str:
    return phone_key(phone.value, workspace().country)


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
    """Return the fields to change so that the first addresses are in fields of their own, and no email is repeated."""
    values: dict[str, str] = {}
    if own["other_emails"] or (own["email_label"] and not own["email"]):
        values |= fields_of_emails(emails_of(own))
    if own["other_phones"] or own["phone_label"] == MOBILE or (own["phone_label"] and not own["phone"]):
        values |= fields_of_phones(phones_of(own))
    return {key: value for key, value in values.items() if value != own[key]}


def consequences(contacts: QuerySet, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what follows from `changes` for the order of the contacts' addresses, as expressions."""
    given = {key: changes[key] for key in FIELDS if key in changes}
    if not given:
        return {}
    moved: defaultdict[str, list[When]] = defaultdict(list)
    # With a single address of each kind, a changed value moves nothing.
    several = contacts if given.keys() & LISTS else contacts.exclude(**dict.fromkeys(LISTS, ""))
    for pk, *values in several.values_list("pk", *FIELDS):
        for key, value in arranged(dict(zip(FIELDS, values, strict=True)) | given).items():
            moved[key].append(When(pk=pk, then=Value(value)))
    return {key: Case(*whens, default=_left(key, given), output_field=TextField()) for key, whens in moved.items()}


def _left(key: str, given: Mapping[str, str]) -> Any:
    return Value(given[key]) if key in given else F(key)


def rows_of(own: Mapping[str, str]) -> list[list[str | int]]:
    """Return all addresses as [kind, position, key, value, label]: what the database keeps as ContactAddress.

    Positions 0 and 1 of phones are the fields phone and mobile, also if one of them is empty.
    """
    rows: list[list[str | int]] = []
    if own["email"]:
        rows = [[EMAIL, n, email_key(value), value, label] for n, (value, label) in enumerate(emails_of(own))]
    country = workspace().country
    if own["phone"]:
        rows.append([PHONE, 0, phone_key(own["phone"], country), own["phone"], own["phone_label"]])
    if own["mobile"]:
        rows.append([PHONE, 1, phone_key(own["mobile"], country), own["mobile"], MOBILE])
    others = enumerate(read_addresses(own["other_phones"]), 2)
    return rows + [[PHONE, n, phone_key(value, country), value, label] for n, (value, label) in others]
