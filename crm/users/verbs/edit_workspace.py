"""Change what a workspace is called and how it counts."""

from django.db import transaction

from crm.kit.actor import Actor
from crm.users.guards import clean_currency, clean_name, clean_timezone
from crm.users.models import Workspace
from crm.users.roles import Right, require


@transaction.atomic
def edit_workspace(*, name: str, timezone: str, currency: str, require_mfa: bool, by: Actor) -> Workspace:
    """Set the name, IANA time zone, ISO 4217 currency and whether everybody needs a second factor.

    Raises NotAllowed, and Invalid per field.
    """
    require(by, Right.WORKSPACE)
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
    workspace.name = clean_name(name)
    workspace.timezone = clean_timezone(timezone)
    workspace.currency = clean_currency(currency)
    workspace.require_mfa = require_mfa
    workspace.save(update_fields=["name", "timezone", "currency", "require_mfa"])
    return workspace
