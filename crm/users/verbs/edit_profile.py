"""Edit a user's profile."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.users.guards import clean_formats, clean_language, clean_name, clean_timezone
from crm.users.models import Theme, User


@transaction.atomic
def edit_profile(
    user: User,
    *,
    name: str | None = None,
    theme: str | None = None,
    timezone: str | None = None,
    language: str | None = None,
    formats: str | None = None,
    shortcuts: bool | None = None,
    by: Actor,
) -> User:
    """Set a user's name, theme, IANA time zone, language, formats (a locale) and single-key shortcuts.

    None leaves a value unchanged; '' uses the workspace's time zone, language or formats. Raises Invalid per field.
    """
    wanted: dict[str, str | bool] = {}
    if name is not None:
        wanted["name"] = clean_name(name, at_most=120)
    if theme is not None:
        wanted["theme"] = _clean_theme(theme)
    if timezone is not None:
        wanted["timezone"] = timezone and clean_timezone(timezone)
    if language is not None:
        wanted["language"] = language and clean_language(language)
    if formats is not None:
        wanted["formats"] = formats and clean_formats(formats)
    if shortcuts is not None:
        wanted["shortcuts"] = shortcuts
    update_and_record("user.updated", User.objects.filter(pk=user.pk), wanted, by=by)
    user.refresh_from_db(fields=["name", "theme", "timezone", "language", "formats", "shortcuts"])
    return user


def _clean_theme(theme: str) -> str:
    if theme not in Theme:
        sentence = _("“{theme}” isn’t a valid theme. Choose one of {themes}.")
        raise Invalid({"theme": sentence.format(theme=theme, themes=", ".join(Theme.values))})
    return theme
