"""Save a list as it is seen: its condition, columns and sort, under a name."""

from django.db import transaction
from django.utils.text import slugify

from audit.record import record
from crm.conditions.parse import parse
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.lists.models import SavedView
from crm.lists.spec import spec_of


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
    """Save a view, for the member or (`shared`, managers only) for the workspace; the same slug is saved over.

    A built-in view's slug saves the member's own version of it. Raises Invalid for a name that is empty or taken
    by a built-in view, ConditionError for a condition that cannot be read.
    """
    if shared and not by.is_at_least(Role.MANAGER):
        raise NotAllowed("Only a manager can save a view for the whole workspace.")
    name, text = name.strip(), parse(condition, entity).key_text
    _check_name(name)
    if not slug or shared:
        slug = slug or slugify(name)[:60] or "view"
        _check_not_built_in(entity, name, slug)
    view, created = SavedView.objects.update_or_create(
        entity=entity,
        slug=slug,
        member_id=None if shared else by.member_id,
        defaults={"name": name, "condition": text, "columns": list(columns), "sort": sort},
    )
    event = "saved_view.created" if created else "saved_view.updated"
    record(event, SavedView.objects.filter(pk=view.pk), by=by, snapshot=("entity", "slug", "name", "condition", "sort"))
    return view


def _check_name(name: str) -> None:
    if not name:
        raise Invalid({"name": "Give the view a name."})
    if len(name) > 60:
        raise Invalid({"name": "A name has 60 characters at most."})


def _check_not_built_in(entity: str, name: str, slug: str) -> None:
    if slug in {"trash", *(view.slug for view in spec_of(entity).views)}:
        raise Invalid({"name": f"“{name}” is a built-in view: choose another name."})
