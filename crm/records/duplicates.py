"""Errors for a duplicate email, domain or external ID, naming the other record if visible."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from crm.kit.actor import Actor
from crm.kit.addresses import read_addresses
from crm.kit.errors import AlreadyTaken
from crm.kit.text import email_key
from crm.kit.translation import gettext as _
from crm.records.models import Record


def duplicate_error(
    model: type[Record], given: Iterable[Mapping[str, Any]], by: Actor, *, but: QuerySet | None = None
) -> AlreadyTaken | None:
    """Return the error for unique values that another live record of the model has (except those in `but`).

    None if no value is the cause: then another constraint was violated.
    """
    rows = model.objects.live()
    rows = rows.exclude(pk__in=but.order_by().values("pk")) if but is not None else rows
    unique = [found for values in given for found in _unique(model, values)]
    for key, sentence, where in unique:
        other = rows.filter(**where).first()
        if other is not None:
            seen = model.objects.visible_to(by).filter(pk=other.pk).exists()
            named = (str(other), other.get_absolute_url()) if seen else ("", "")
            return AlreadyTaken(key, sentence, *named)
    if not unique:
        return None
    if _has_mail(model):
        return AlreadyTaken("email", _("A record with this email or external ID already exists"))
    return AlreadyTaken("external_id", _("A record with this external ID already exists"))


def _unique(model: type[Record], values: Mapping[str, Any]) -> Iterable[tuple[str, str, dict[str, str]]]:
    for field, address in _emails(values) if _has_mail(model) else ():
        sentence = _("A record with this email already exists")
        yield field, sentence, {"addresses__kind": "email", "addresses__key": email_key(address)}
    for key in ("domain", "other_domains") if hasattr(model, "other_domains") else ():
        for domain in filter(None, (values.get(key) or "").split(", ")):
            yield key, _("A company with this domain already exists"), {"domain_rows__domain": domain}
    if values.get("external_id"):
        sentence = _("A record with this external ID already exists")
        yield "external_id", sentence, {"external_id": values["external_id"]}


def _emails(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the emails among the values, each with its field."""
    others = [("other_emails", each.value) for each in read_addresses(values.get("other_emails") or "")]
    return [("email", values["email"]), *others] if values.get("email") else others


def _has_mail(model: type[Record]) -> bool:
    return hasattr(model, "email_keys")
