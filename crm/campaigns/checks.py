"""What a campaign must be to be kept, and to be sent."""

from collections.abc import Mapping
from typing import Any

from crm.campaigns.models import Campaign
from crm.campaigns.segments import segment_of
from crm.entities.placeholders import check_placeholders
from crm.kit.errors import Invalid, Refused
from crm.users.models import Membership

LENGTHS = {"name": ("The name", 100), "subject": ("The subject", 200), "body": ("The text", 20_000)}
NAMELESS = "Give the campaign a name."


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a campaign, cleaned. Raises Invalid with a sentence for each field that is wrong."""
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
    label, longest = LENGTHS[key]
    text = str(value or "").strip()
    if len(text) > longest:
        raise Invalid(f"{label} has {longest:,} characters at most.")
    return text


def _line(key: str, value: Any) -> str:
    return _text(key, " ".join(str(value or "").split()))


def _name(key: str, value: Any) -> str:
    name = _line(key, value)
    if not name:
        raise Invalid(NAMELESS)
    return name


def _template(key: str, value: Any) -> str:
    text = _line(key, value) if key == "subject" else _text(key, value)
    return check_placeholders(text, "contact", LENGTHS[key][0])


def _segment(key: str, value: Any) -> str:
    return segment_of(str(value)).slug if value else ""


def _type(key: str, value: Any) -> str:
    if value not in Campaign.Type.values:
        raise Invalid(f"There is no type of campaign “{value}”: {', '.join(Campaign.Type.labels)}.")
    return str(value)


def _owner(key: str, value: Any) -> int:
    pk = getattr(value, "pk", value)
    if not Membership.objects.active().filter(pk=pk).exists():
        raise Invalid("Choose somebody who works here.")
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
    """Raise Refused for a campaign that lacks what a mail needs, or whose segment or fields are gone."""
    missing = [word for word, text in (("a subject", campaign.subject), ("a text", campaign.body)) if not text]
    if missing:
        raise Refused(f"Write {' and '.join(missing)} first.")
    try:
        checked({"subject": campaign.subject, "body": campaign.body, "segment": campaign.segment})
    except Invalid as error:
        raise Refused(str(error)) from None
