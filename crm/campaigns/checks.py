"""Validation of campaigns, for saving and for sending."""

from collections.abc import Mapping
from typing import Any

from crm.campaigns.models import Campaign
from crm.campaigns.segments import segment_of
from crm.entities.placeholders import check_placeholders
from crm.kit import formats
from crm.kit.errors import Invalid, Refused
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership

LENGTHS = {"name": (_("Name"), 100), "subject": (_("Subject"), 200), "body": (_("Content"), 20_000)}
NAMELESS = _("Enter a name.")


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a campaign's cleaned values. Raises Invalid with a message per invalid field."""
    cleaned, errors = {}, {}
    for key, value in values.items():
        try:
            cleaned[key] = _CHECKS[key](key, value)
        except (Invalid, Refused) as error:
            errors[key] = str(error)
    if errors:
        raise Invalid(errors)
    return cleaned


def _text(key: str, value: Any) -> str:
    longest = LENGTHS[key][1]
    text = str(value or "").strip()
    if len(text) > longest:
        raise Invalid(gettext("Enter up to {count} characters.").format(count=formats.number(longest)))
    return text


def _line(key: str, value: Any) -> str:
    return _text(key, " ".join(str(value or "").split()))


def _name(key: str, value: Any) -> str:
    name = _line(key, value)
    if not name:
        raise Invalid(str(NAMELESS))
    return name


def _template(key: str, value: Any) -> str:
    text = _line(key, value) if key == "subject" else _text(key, value)
    return check_placeholders(text, "contact", LENGTHS[key][0])


def _segment(key: str, value: Any) -> str:
    return segment_of(str(value)).slug if value else ""


def _type(key: str, value: Any) -> str:
    if value not in Campaign.Type.values:
        types = ", ".join(map(str, Campaign.Type.labels))
        raise Invalid(gettext("“{value}” isn’t a campaign type. Choose from {types}.").format(value=value, types=types))
    return str(value)


def _owner(key: str, value: Any) -> int:
    pk = getattr(value, "pk", value)
    if not Membership.objects.active().filter(pk=pk).exists():
        raise Invalid(gettext("Choose an active member."))
    return int(pk)


_CHECKS = {
    "name": _name,
    "subject": _template,
    "body": _template,
    "segment": _segment,
    "type": _type,
    "owner": _owner,
}


def check_ready(campaign: Campaign) -> None:
    """Raise Refused for a campaign that lacks email content, or has a deleted segment or field."""
    if not campaign.subject and not campaign.body:
        raise Refused(gettext("Enter a subject and content first."))
    if not campaign.subject:
        raise Refused(gettext("Enter a subject first."))
    if not campaign.body:
        raise Refused(gettext("Enter content first."))
    try:
        checked({"subject": campaign.subject, "body": campaign.body, "segment": campaign.segment})
    except Invalid as error:
        raise Refused(str(error)) from None
