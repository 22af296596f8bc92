"""Edit a workspace's settings."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit.actor import Actor
from crm.users.guards import clean_country, clean_currency, clean_formats, clean_language, clean_name, clean_timezone
from crm.users.models import Workspace
from crm.users.roles import Right, require


@transaction.atomic
def edit_workspace(
    *,
    name: str,
    timezone: str,
    currency: str,
    require_mfa: bool,
    language: str | None = None,
    formats: str | None = None,
    country: str | None = None,
    by: Actor,
) -> Workspace:
    """Set the name, IANA time zone, ISO 4217 currency, language, formats, country and whether all members need 2FA.

    None leaves language, formats and country (ISO 3166) unchanged; '' uses the language's formats, and no country.
    Raises NotAllowed, and Invalid per field.
    """
    require(by, Right.WORKSPACE)
    wanted = {"name": clean_name(name), "timezone": clean_timezone(timezone), "require_mfa": require_mfa}
    if language is not None:
        wanted["language"] = clean_language(language)
    if formats is not None:
        wanted["formats"] = formats and clean_formats(formats)
    if country is not None:
        wanted["country"] = clean_country(country)
    rows = Workspace.objects.filter(pk=by.workspace_id)
    update_and_record("workspace.updated", rows, wanted | {"currency": clean_currency(currency)}, by=by)
    return rows.get()
