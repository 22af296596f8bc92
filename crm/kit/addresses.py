"""Lists of email addresses and phone numbers as text: one a line, each with an optional label.

    home: ann@home.example
    +34 600 100 200

Why: docs/decisions/0080-addresses-are-values-of-the-contact.md
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from crm.kit import formats
from crm.kit.errors import Invalid
from crm.kit.text import email_key, fold, normalize_line
from crm.kit.translation import gettext as _
from crm.kit.translation import in_english, pgettext_lazy

WORK, HOME, MOBILE, OTHER = "work", "home", "mobile", "other"  # not a text
LABELS = {
    WORK: pgettext_lazy("label of an address", "Work"),
    HOME: pgettext_lazy("label of an address", "Home"),
    MOBILE: pgettext_lazy("label of an address", "Mobile"),
    OTHER: pgettext_lazy("label of an address", "Other"),
}
MOST = 50  # addresses in a list
LONGEST_LABEL, LONGEST_EMAIL, LONGEST_PHONE = 40, 254, 60


class Address(NamedTuple):
    """An email address or a phone number, with a label: a key of LABELS, own text, or ''."""

    value: str
    label: str = ""


def read_addresses(text: str) -> list[Address]:
    return [_read(line) for line in text.splitlines() if line.strip()] if text else []


def _read(line: str) -> Address:
    label, colon, value = line.partition(":")
    if not colon or "@" in label:
        return Address(line.strip())
    return Address(value.strip(), label.strip())


def write_addresses(addresses: Iterable[Address]) -> str:
    return "\n".join(f"{each.label}: {each.value}" if each.label else each.value for each in addresses)


def clean_label(text: str) -> str:
    """Return the key of a label in English or the active language, otherwise the text. Raises Invalid."""
    label = normalize_line(text)
    if ":" in label or "@" in label or len(label) > LONGEST_LABEL:
        sentence = _("“{text}” isn’t a valid label. Use up to {count} characters without a colon.")
        raise Invalid(sentence.format(text=label[:60], count=formats.number(LONGEST_LABEL)))
    names = {fold(str(name)): key for key, text in LABELS.items() for name in (key, text, in_english(text))}
    return names.get(fold(label), label)


def label_text(label: str) -> str:
    """Return a label as it is shown."""
    return str(LABELS.get(label, label))


def clean_emails(text: str) -> str:
    """Return a list of email addresses in normal form. Raises Invalid for an invalid one."""
    return _cleaned(text, _email)


def clean_phones(text: str) -> str:
    """Return a list of phone numbers in normal form. Raises Invalid for an overlong one."""
    return _cleaned(text, _phone)


def _cleaned(text: str, clean: Callable[[str], str]) -> str:
    found = [Address(clean(each.value), clean_label(each.label)) for each in read_addresses(text) if each.value]
    if len(found) > MOST:
        raise Invalid(_("Enter up to {count} lines.").format(count=formats.number(MOST)))
    return write_addresses(found)


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise Invalid(_("“{text}” isn’t a valid email address.").format(text=text[:60])) from None
    if max(len(text), len(email_key(text))) > LONGEST_EMAIL:
        raise Invalid(_("An email can have up to {count} characters.").format(count=formats.number(LONGEST_EMAIL)))
    return text


def _phone(text: str) -> str:
    if len(text) > LONGEST_PHONE:
        sentence = _("A phone number can have up to {count} characters.")
        raise Invalid(sentence.format(count=formats.number(LONGEST_PHONE)))
    return normalize_line(text)
