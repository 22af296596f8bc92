"""Addresses in rows: fields of their own, lists, and further columns such as Email 2, which only add addresses."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contacts.address_fields import ADDED
from contacts.addresses import (
    EMAIL,
    FIELDS,
    PHONE,
    arranged,
    distinct,
    emails_of,
    fields_of_emails,
    fields_of_phones,
    key_of_email,
    key_of_phone,
    phones_of,
)
from contacts.finding import email_keys
from contacts.models import Contact
from crm.kit.addresses import Address, read_addresses
from crm.records.imports import to_change

LISTS = {EMAIL: "other_emails", PHONE: "other_phones"}
ADDING = frozenset(ADDED) | set(LISTS.values())  # columns that add addresses
SINGLE = frozenset(FIELDS) - ADDING
COLUMNS = ADDING | SINGLE
BLANK = dict.fromkeys(FIELDS, "")


def keys_of_emails(own: Mapping[str, Any]) -> list[str]:
    """Return the keys of all emails of a row, which its contact is found by."""
    if own.keys().isdisjoint(ADDING):
        return email_keys({"email": own["email"]}) if own.get("email") else []
    return list(map(key_of_email, emails_of(_with_added(BLANK | _single(own), own))))


def gathered(own: dict[str, Any]) -> dict[str, Any]:
    """Return a new contact's values with all its addresses in fields of a contact."""
    if own.keys().isdisjoint(ADDING):
        return own
    fields = _with_added(BLANK | _single(own), own)
    rest = {key: value for key, value in own.items() if key not in COLUMNS}
    return rest | {key: value for key, value in fields.items() if value}


def address_changes(contact: Contact, own: Mapping[str, Any], on_match: str) -> dict[str, str]:
    """Return the address fields that a row changes.

    A new address in the column of a field replaces it, under the rule for existing records; in other columns it is
    added. Addresses that the contact already has stay in their places.
    """
    if own.keys().isdisjoint(COLUMNS):
        return {}
    present = contact.address_fields
    fields = present | to_change(contact, _unlisted(_single(own), present), on_match)
    fields = _with_added(fields, own)
    return {key: value for key, value in fields.items() if value != present[key]}


def _single(own: Mapping[str, Any]) -> dict[str, str]:
    return {key: own[key] for key in SINGLE & own.keys()}


def _unlisted(single: dict[str, str], present: Mapping[str, str]) -> dict[str, str]:
    """Return the values without those that are among the contact's other addresses."""
    known = {key_of_email(each) for each in read_addresses(present["other_emails"])}
    known |= {key_of_phone(each) for each in read_addresses(present["other_phones"])}
    keys = {"email": key_of_email, "phone": key_of_phone, "mobile": key_of_phone}
    again = {key for key, read in keys.items() if known and key in single and read(Address(single[key])) in known}
    return {key: value for key, value in single.items() if key not in again}


def _with_added(fields: dict[str, str], own: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields with the addresses in the row's adding columns, in order and without repeats."""
    if emails := _added(own, EMAIL):
        fields = fields | fields_of_emails(_and(emails_of(fields), emails, key_of_email))
    if phones := _added(own, PHONE):
        fields = fields | fields_of_phones(_and(phones_of(fields), phones, key_of_phone))
    return fields | arranged(fields)


def _added(own: Mapping[str, Any], kind: str) -> list[Address]:
    columns = [Address(own[key], label) for key, (of, label) in ADDED.items() if of == kind and key in own]
    return [*columns, *read_addresses(own.get(LISTS[kind], ""))]


def _and(present: Sequence[Address], more: Sequence[Address], key: Callable[[Address], str]) -> list[Address]:
    return [*present, *distinct([*present, *more], key)[len(distinct(present, key)) :]]
