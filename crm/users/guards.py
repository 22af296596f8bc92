"""Checks of the verbs about members."""

from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from crm.kit import formats
from crm.kit.errors import Invalid, Refused
from crm.kit.language import FORMATS
from crm.kit.text import collapse_to_one_line
from crm.kit.translation import gettext as _
from crm.users.models import Membership, Team, Workspace
from crm.users.workspaces import admins_with_password


def keep_an_admin(member: Membership) -> None:
    """Raise Refused if `member` is the only admin left. Holds the workspace's row until the transaction ends.

    Without the lock two admins could demote each other concurrently. NO KEY: rows that refer to the workspace can still
    be inserted.
    """
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=member.workspace_id)
    if not Membership.objects.admins().exclude(pk=member.pk).exists():
        sentence = _("{member} is the only admin. Make someone else an admin first.")
        raise Refused(sentence.format(member=member))
    if workspace.require_provider and not admins_with_password(workspace.pk).exclude(pk=member.pk).exists():
        sentence = _("{member} is the only admin with a password, which is needed if the sign-in provider fails.")
        raise Refused(sentence.format(member=member))


def clean_email(email: str) -> str:
    """Return the address in lower case, trimmed. Raises Invalid for the field email."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid({"email": _("“{email}” isn’t a valid email address.").format(email=email)}) from None
    return email


def clean_name(name: str, field: str = "name", *, at_most: int = 80) -> str:
    """Return the name on one line, for email headers. Raises Invalid for `field` if it is empty or too long."""
    name = collapse_to_one_line(name)
    if not name:
        raise Invalid({field: _("Enter a name.")})
    if len(name) > at_most:
        raise Invalid({field: _("Use up to {count} characters.").format(count=at_most)})
    return name


def check_free_name(name: str, but: int | None = None) -> None:
    """Raise Invalid if another team, also an archived one, has the name in any case."""
    other = Team.objects.filter(name__iexact=name).exclude(pk=but).first()
    if other and other.archived_at:
        raise Invalid({"name": _("An archived team is named “{name}”. Restore it instead.").format(name=name)})
    if other:
        raise Invalid({"name": _("A team named “{name}” already exists.").format(name=name)})


def clean_timezone(name: str) -> str:
    """Check an IANA time zone, e.g. Europe/Madrid. Raises Invalid for the field timezone."""
    if name not in available_timezones():
        sentence = _("“{name}” isn’t a valid time zone, e.g. Europe/Madrid.")
        raise Invalid({"timezone": sentence.format(name=name)})
    return name


def clean_language(code: str) -> str:
    """Check a supported language, e.g. de. Raises Invalid for the field language."""
    if code not in dict(settings.LANGUAGES):
        raise Invalid({"language": _("“{code}” isn’t a supported language.").format(code=code)})
    return code


def clean_formats(code: str) -> str:
    """Check a supported locale for dates, numbers and money, e.g. de_CH. Raises Invalid for the field formats."""
    if code not in FORMATS:
        raise Invalid({"formats": _("“{code}” isn’t a supported format.").format(code=code)})
    return code


def clean_country(code: str) -> str:
    """Return a two-letter country code in capitals, e.g. ES; '' for none. Raises Invalid for the field country."""
    code = code.strip().upper()
    if code and code not in formats.COUNTRIES:
        raise Invalid({"country": _("“{code}” isn’t a valid country, e.g. ES.").format(code=code)})
    return code


def clean_currency(code: str) -> str:
    """Return a three-letter currency code in capitals, e.g. EUR (ISO 4217). Raises Invalid for the field currency."""
    code = code.strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise Invalid({"currency": _("“{code}” isn’t a valid currency, e.g. EUR.").format(code=code)})
    return code
