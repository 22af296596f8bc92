"""Create a workspace."""

import re
from dataclasses import replace

from django.db import transaction

from audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext as _
from crm.users.guards import clean_country, clean_currency, clean_name, clean_timezone
from crm.users.models import Workspace
from crm.users.roles import Right, require

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


@transaction.atomic
def create_workspace(
    slug: str, *, name: str = "", timezone: str = "UTC", currency: str = "EUR", country: str = "", by: Actor
) -> tuple[Workspace, Actor]:
    """Create a workspace without members; return it and the actor in it.

    `by` is an operator, of no workspace yet: `system(0, channel)`. Raises Invalid for a slug that is taken or has
    characters other than a-z, 0-9 and hyphens, and for an unknown time zone, currency or country.
    """
    require(by, Right.WORKSPACE)
    if not SLUG.fullmatch(slug):
        sentence = _("“{slug}” isn’t a valid slug. Use up to 40 of a-z, 0-9 and hyphens, with no hyphen at the ends.")
        raise Invalid({"slug": sentence.format(slug=slug)})
    if Workspace.objects.filter(slug=slug).exists():
        raise Invalid({"slug": _("A workspace named “{slug}” already exists.").format(slug=slug)})
    workspace = Workspace.objects.create(
        slug=slug,
        name=clean_name(name or slug.replace("-", " ").capitalize()),
        timezone=clean_timezone(timezone),
        currency=clean_currency(currency),
        country=clean_country(country),
    )
    by = replace(by, workspace_id=workspace.pk)
    with in_workspace(workspace):
        rows = Workspace.objects.filter(pk=workspace.pk)
        record("workspace.created", rows, by=by, snapshot=("slug", "name", "timezone", "currency", "country"))
    return workspace, by
