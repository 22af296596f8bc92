"""Validation of record values: parsed, resolved, checked."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from django.db import models

from audit import values as audited
from crm.entities import registry
from crm.entities.fields import TEXTS, Field, FieldType
from crm.entities.schema import schema
from crm.entities.values import custom_value_to_json, parse_value
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.addresses import clean_emails, clean_label, clean_phones
from crm.kit.errors import Invalid
from crm.kit.text import domain_key, search_key
from crm.kit.translation import gettext as _
from crm.users.guards import clean_currency
from crm.users.models import Membership, Team

REQUIRED = {"status", "contact", "currency", "probability"}
LARGEST = 10**13  # SQLite stores amounts as floating point: fifteen digits are exact


def validate(entity: str, values: Mapping[str, Any], *, by: Actor, new: bool = False) -> dict[str, Any]:
    """Return typed values by storage key (`custom.<key>` for custom fields), from text or typed ones by any field name.

    Raises Invalid with a message per field: unknown, not editable, malformed, or a reference hidden from `by`.
    """
    found = typed(entity, values, by=by)
    model = registry.get(entity).model
    if new and not any(str(found.get(key) or "").strip() for key in model.NAMED_BY):
        raise Invalid({"name": str(model.NAMELESS)})
    check_values(entity, found, by=by)
    return found


def typed(entity: str, values: Mapping[str, Any], *, by: Actor | None = None) -> dict[str, Any]:
    """Parse values without checking them: the first half of validate().

    Links are resolved as visible to `by`, or to all records without it.
    """
    known, found, errors = schema(entity), {}, {}
    for name, value in values.items():
        try:
            field = _editable(known, name)
            found[storage_key(field)] = _value(field, value, by)
        except Invalid as error:
            errors[name] = str(error)
    if errors:
        raise Invalid(errors)
    return found


def check_values(entity: str, values: Mapping[str, Any], *, by: Actor) -> None:
    """Check typed values: the second half of validate(). Raises Invalid with a message per field."""
    known, errors = schema(entity), {}
    for key, value in values.items():
        field = known.field(key.removeprefix("custom."))  # not a text
        try:
            _check_value(field, registry.get(entity).model, value, by)
        except Invalid as error:
            errors[field.key] = str(error)
    if errors:
        raise Invalid(errors)


def storage_key(field: Field) -> str:
    """Return a field's key in changes and in the audit log."""
    return f"custom.{field.key}" if field.custom else field.key


def _editable(known, name: str) -> Field:
    field = known.find(name)
    if field is None:
        raise Invalid(_("There’s no field “{name}”.").format(name=name))
    if not field.editable:
        raise Invalid(_("{field} is set automatically and can’t be edited.").format(field=field.label))
    return field


def clean(entity: str, field: Field, value: Any, by: Actor) -> Any:
    """Return one value for storage, from text or typed. Raises Invalid with a message."""
    found = _value(field, value, by)
    _check_value(field, registry.get(entity).model, found, by)
    return found


def _value(field: Field, value: Any, by: Actor | None) -> Any:
    if isinstance(value, str):
        value = _from_text(field, value, by)
    value = getattr(value, "pk", value)
    if value in ("", None) or value == []:
        return "" if _is_text(field) else None
    if _is_text(field):
        return str(value)
    return custom_value_to_json(field, value) if field.custom else _figure(field, value)


def _check_value(field: Field, model: type[models.Model], value: Any, by: Actor) -> None:
    if value in ("", None):
        if _is_needed(field, model):
            raise Invalid(_("{field} is required.").format(field=field.label))
        return
    longest = None if field.custom else audited.model_field(model, field.column()).max_length
    if longest and len(value) > longest:
        sentence = _("{field} can have up to {count} characters.")
        raise Invalid(sentence.format(field=field.label, count=formats.number(longest)))
    _check_reference(field, value, by)


def _is_needed(field: Field, model: type[models.Model]) -> bool:
    """Return whether the field is required; fields in NAMED_BY are checked together elsewhere."""
    named = field.key in getattr(model, "NAMED_BY", ())
    wanted = field.key in REQUIRED or (field.required and not named)
    return wanted and not field.custom and not audited.model_field(model, field.column()).null


def missing(entity: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Return a message for each required declared field missing in a new record's values."""
    kind = registry.get(entity)
    fields = (field for field in kind.fields.values() if field.required and _is_needed(field, kind.model))
    sentence, absent = _("{field} is required."), (field for field in fields if values.get(field.key) in ("", None))
    return {field.key: sentence.format(field=field.label) for field in absent}


def check_lengths(model: type[models.Model], values: Mapping[str, Any]) -> None:
    """Raise Invalid for text longer than its column, for values without a declared field."""
    for key, value in values.items():
        longest = audited.model_field(model, key).max_length
        if longest and isinstance(value, str) and len(value) > longest:
            raise Invalid({key: _("Up to {count} characters.").format(count=formats.number(longest))})


def _figure(field: Field, value: Any) -> Any:
    """Check a number: counts are integers, percents at most a whole, none is negative."""
    if field.type is FieldType.NUMBER:
        if value != int(value) or not 0 <= value < 2**31:
            raise Invalid(_("{field} must be a whole number, 0 or more.").format(field=field.label))
        return int(value)
    if field.type is FieldType.PERCENT:
        if not 0 <= value <= 1:
            raise Invalid(_("{field} must be between 0% and 100%.").format(field=field.label))
        return Decimal(value).quantize(Decimal("0.0001"))
    if field.type is FieldType.MONEY:
        if not 0 <= value < LARGEST:
            sentence = _("{field} must be 0 or more and less than {limit}.")
            raise Invalid(sentence.format(field=field.label, limit=formats.number(LARGEST)))
        return Decimal(value).quantize(Decimal("0.01"))
    return value


def _from_text(field: Field, text: str, by: Actor | None) -> Any:
    if field.key in NORMAL and not field.custom and text.strip():
        text = NORMAL[field.key](text.strip())
    return parse_value(field, text, by=by)


def _is_text(field: Field) -> bool:
    return not field.custom and field.type in TEXTS | {FieldType.SELECT}


def _check_reference(field: Field, pk: int, by: Actor) -> None:
    """Check a reference: a live record visible to `by`, or an active owner."""
    if field.type is FieldType.USER and not Membership.objects.filter(pk=pk, is_active=True).exists():
        raise Invalid(_("{field}: this user is no longer active.").format(field=field.label))
    if field.type is FieldType.TEAM and not Team.objects.live().filter(pk=pk).exists():
        raise Invalid(_("{field}: team not found.").format(field=field.label))
    if field.type is FieldType.LINK:
        kind = registry.get(field.target)
        if not kind.model.objects.live().visible_to(by).filter(pk=pk).exists():
            raise Invalid(_("{field}: record not found.").format(field=field.label))


def _url(text: str) -> str:
    return text if "://" in text else f"https://{text}"


@cache
def _timezones() -> frozenset[str]:
    """Return the time zones, cached: available_timezones() walks the system's directories."""
    return frozenset(available_timezones())


def _timezone(text: str) -> str:
    if text not in _timezones():
        sentence = _("“{text}” isn’t a valid time zone. Use a name like Europe/Madrid.")
        raise Invalid(sentence.format(text=text[:60]))
    return text


def _country(text: str) -> str:
    """Return the code of a country given by its code, or by its name in English or the language of formats."""
    if len(text) == 2 and text.isascii() and text.isalpha():
        return text.upper()
    for locale in ("en", formats.current.get()):
        if code := _countries(locale).get(search_key(text)):
            return code
    raise Invalid(_("“{text}” isn’t a valid country code. Use two letters, e.g. DE.").format(text=text[:60]))


@cache
def _countries(locale: str) -> dict[str, str]:
    """Map country names to codes, e.g. those that other products export."""
    names = {search_key(name): code for code, name in Locale.parse(locale).territories.items() if len(code) == 2}
    return names | {search_key(name): code for name, code in ALSO_CALLED.items()}


ALSO_CALLED = {
    "United States of America": "US",  # not a text
    "USA": "US",
    "Great Britain": "GB",  # not a text
    "England": "GB",
    "The Netherlands": "NL",  # not a text
    "Czech Republic": "CZ",  # not a text
    "Turkey": "TR",
    "UAE": "AE",
}


def _domain(text: str) -> str:
    if domain := domain_key(text):
        return domain
    raise Invalid(_("“{text}” isn’t a valid domain, e.g. example.com.").format(text=text[:60]))


def _domains(text: str) -> str:
    return ", ".join(dict.fromkeys(_domain(part) for part in re.split(r"[\s,;]+", text) if part))


NORMAL = {
    "website": _url,
    "linkedin_url": _url,
    "timezone": _timezone,
    "country": _country,
    "domain": _domain,
    "other_domains": _domains,
    "currency": clean_currency,
    "email_label": clean_label,
    "phone_label": clean_label,
    "other_emails": clean_emails,
    "other_phones": clean_phones,
}
