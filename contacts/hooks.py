"""Hooks for apps that attach records to contacts and companies: shown in a contact's timeline, moved on merge."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce, Concat
from django.utils.safestring import SafeString

from contacts.models import Activity, Company, Contact
from crm.entities import registry
from crm.kit.actor import Actor, Channel
from crm.kit.registry import Hook
from crm.users.http import Request

Mover = Callable[[Contact, QuerySet, Actor], None]
# Called as hook(survivor, duplicates, by): moves an app's records to the survivor, in the same change.
on_merge: Hook[Mover] = Hook()
# The same for companies.
on_company_merge: Hook[Callable[[Company, QuerySet, Actor], None]] = Hook()
_told: dict[str, Callable[[Actor], QuerySet]] = {}
# By event: the sentence of a line that names several records, e.g. “{who} attached files”.
sentences_of_many: dict[str, str] = {}
Attached = Callable[[str, Any, Actor], Q]
# Called as hook(entity, primary key, by): entries of records attached to one that isn't a contact.
on_timeline: Hook[Attached] = Hook()
# Called as hook(activities, by): primary key → HTML shown with that activity in a timeline.
on_activities: Hook[Callable[[Collection[int], Actor], Mapping[int, SafeString]]] = Hook()
# Names the author of workflow-channel changes: hook() returns its name for OuterRef("change").
on_author: Hook[Callable[[], QuerySet]] = Hook()
# Called as hook(record, by): the (primary key, name) of what an activity on that record can be about.
on_composer: Hook[Callable[[Any, Actor], list[tuple[int, str]]]] = Hook()
# Called as hook(request, activity) with an activity that was just logged: attaches what else its form sent.
on_logged: Hook[Callable[[Request, Activity], None]] = Hook()


def opportunities_for(record: Any, by: Actor) -> list[tuple[int, str]]:
    """Return the opportunities offered for an activity on a record."""
    return [offered for hook in on_composer for offered in hook(record, by)]


def move_attached(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Move all attached records from the duplicates; topmost app first, to lock in order lead → opportunity."""
    for mover in reversed(on_merge):
        mover(survivor, duplicates, by)


def show_in_contact_timeline(
    entity: str,
    *,
    by_name: bool = True,
    names: Callable[[Actor], QuerySet] | None = None,
    many: Mapping[str, str] | None = None,
) -> None:
    """Show events of an entity's records in their contact's timeline, to viewers of the records.

    `by_name`: with name and link, unless the records are part of the contact's. `names(by)` returns "public id, name"
    for OuterRef("entity_id"), as an alternative to the records' own table; without a public id there is no link.
    `many`: sentences by event for a line that names several of them.
    """
    sentences_of_many.update(many or {})
    _told[entity] = names or (lambda by: _name(registry.get(entity), by, by_name))


def annotate_workflow_names(entries: QuerySet) -> QuerySet:
    """Annotate entries with `author`, the workflow's name or '', in the same statement."""
    names = [When(channel=Channel.WORKFLOW, then=Coalesce(Subquery(name()), Value(""))) for name in on_author]
    return entries.annotate(author=Case(*names, default=Value(""), output_field=TextField()))


def annotate_attached_names(entries: QuerySet, by: Actor) -> QuerySet:
    """Annotate entries with `about`, an attached record's public id and name or '', dropping records hidden from `by`.

    In the same statement: attached records add no cost to a timeline.
    """
    names = [When(entity=entity, then=name(by)) for entity, name in _told.items()]
    about = Case(*names, default=Value(""), output_field=TextField())
    return entries.annotate(about=about).filter(about__isnull=False) if names else entries


def _name(kind: registry.Entity, by: Actor, named: bool) -> QuerySet:
    seen = kind.model.objects.visible_to(by).filter(pk=OuterRef("entity_id"))
    name = Concat(F(kind.public_id), Value(" "), F(kind.title_path), output_field=TextField())
    return seen.values(told=name if named else Value("", output_field=TextField()))
