"""Saving the current list as a view: its condition, columns and sort under a name."""

from zlib import crc32

from django.db import transaction
from django.utils.text import slugify

from audit.record import record, update_and_record
from crm.conditions.parse import parse
from crm.entities.uses import refuse_breaking_changes
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.translation import gettext as _
from crm.lists.models import SavedView
from crm.lists.spec import spec_of

SNAPSHOT = ("entity", "slug", "name", "condition", "columns", "sort", "member")


@transaction.atomic
def save_view(
    entity: str,
    name: str,
    *,
    by: Actor,
    condition: str = "",
    columns: tuple[str, ...] = (),
    sort: str = "",
    slug: str = "",
    shared: bool = False,
) -> SavedView:
    """Save a view for the member or (`shared`, managers only) the workspace; an existing slug is overwritten.

    A built-in view's slug saves the member's own version of it. Raises Invalid for an empty name or one of a built-in
    view, ConditionError for an invalid condition, and InUse if the view is a segment that the condition would break.
    """
    if shared and not by.is_at_least(Role.MANAGER):
        raise NotAllowed(_("Only managers can share views with the workspace."))
    name, text = name.strip(), parse(condition, entity).key_text
    _check_name(name)
    if not slug or shared:
        slug = slug or _slug(name)
        _check_not_built_in(entity, name, slug)
    values = {"name": name, "condition": text, "columns": list(columns), "sort": sort}
    view, created = SavedView.objects.get_or_create(
        entity=entity, slug=slug, member_id=None if shared else by.member_id, defaults=values
    )
    row = SavedView.objects.filter(pk=view.pk)
    if created:
        record("saved_view.created", row, by=by, snapshot=SNAPSHOT)
    else:
        with refuse_breaking_changes(_("Can’t save the view “{name}” with this query.").format(name=name)):
            update_and_record("saved_view.updated", row, values, by=by)
    return row.get()


def _slug(name: str) -> str:
    """Return a slug; names without ASCII letters, such as 客户, get a unique one."""
    return slugify(name)[:60] or f"view-{crc32(name.encode()):08x}"


def _check_name(name: str) -> None:
    if not name:
        raise Invalid({"name": _("Enter a view name.")})
    if len(name) > 60:
        raise Invalid({"name": _("Names can be up to 60 characters.")})


def _check_not_built_in(entity: str, name: str, slug: str) -> None:
    if slug in {"trash", *(view.slug for view in spec_of(entity).views)}:
        raise Invalid({"name": _("“{name}” is a built-in view. Choose another name.").format(name=name)})
