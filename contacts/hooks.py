"""What apps above attach to a contact: told in its timeline, and moved when contacts are merged."""

from collections.abc import Callable

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce, Concat

from contacts.models import Contact
from crm.entities import registry
from crm.kit.actor import Actor, Channel
from crm.kit.registry import Hook

Mover = Callable[[Contact, QuerySet, Actor], None]
# Called as hook(survivor, duplicates, by): moves an app's records to the survivor, recorded under the same change.
on_merge: Hook[Mover] = Hook()
_told: dict[str, Callable[[Actor], QuerySet]] = {}
# Names what acted through the channel of workflows: hook() gives its name, for OuterRef("change").
on_author: Hook[Callable[[], QuerySet]] = Hook()


def move_attached(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Let every app move what it attached to the duplicates; the uppermost first, for locks go lead → opportunity."""
    for mover in reversed(on_merge):
        mover(survivor, duplicates, by)


def show_in_contact_timeline(
    entity: str, *, by_name: bool = True, names: Callable[[Actor], QuerySet] | None = None
) -> None:
    """Tell what happens to the records of an entity in their contact's timeline, to whoever sees them.

    `by_name`: each with its name and the way to its page; not those that are a part of the contact's. `names(by)`,
    where the records' own table is not to be asked: "public id, name", for OuterRef("entity_id").
    """
    _told[entity] = names or (lambda by: _name(registry.get(entity), by, by_name))


def annotate_workflow_names(entries: QuerySet) -> QuerySet:
    """Entries with `author`: the name of the workflow that acted, '' for people and the product; same statement."""
    names = [When(channel=Channel.WORKFLOW, then=Coalesce(Subquery(name()), Value(""))) for name in on_author]
    return entries.annotate(author=Case(*names, default=Value(""), output_field=TextField()))


def annotate_attached_names(entries: QuerySet, by: Actor) -> QuerySet:
    """Entries with `about`: of an attached record its public id and name, '' for others. Those unseen by `by` are not.

    In the same statement: a timeline costs as much with attached records as without.
    """
    names = [When(entity=entity, then=name(by)) for entity, name in _told.items()]
    about = Case(*names, default=Value(""), output_field=TextField())
    return entries.annotate(about=about).filter(about__isnull=False) if names else entries


def _name(kind: registry.Entity, by: Actor, named: bool) -> QuerySet:
    seen = kind.model.objects.visible_to(by).filter(pk=OuterRef("entity_id"))
    name = Concat(F(kind.public_id), Value(" "), F(kind.title_path), output_field=TextField())
    return seen.values(told=name if named else Value("", output_field=TextField()))
