"""What apps above attach to a contact: told in its timeline, and moved when contacts are merged."""

from collections.abc import Callable

from django.db.models import Case, F, OuterRef, QuerySet, TextField, Value, When
from django.db.models.functions import Concat

from contacts.models import Contact
from crm.entities import registry
from crm.kit.actor import Actor

_movers: list[Callable[[Contact, QuerySet, Actor], None]] = []
_told: list[str] = []


def on_merge(mover: Callable[[Contact, QuerySet, Actor], None]) -> None:
    """Have `mover(survivor, duplicates, by)` move an app's records to the survivor, recorded under the same change."""
    _movers.append(mover)


def move_attached(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Let every app move what it attached to the duplicates."""
    for mover in _movers:
        mover(survivor, duplicates, by)


def tell(entity: str) -> None:
    """Tell what happens to the records of an entity in their contact's timeline, to whoever sees them."""
    _told.append(entity)


def named(entries: QuerySet, by: Actor) -> QuerySet:
    """Entries with `about`: of an attached record its public id and name, '' for others. Those unseen by `by` are not.

    In the same statement: a timeline costs as much with attached records as without.
    """
    names = [When(entity=entity, then=_name(registry.get(entity), by)) for entity in _told]
    about = Case(*names, default=Value(""), output_field=TextField())
    return entries.annotate(about=about).filter(about__isnull=False) if names else entries


def _name(kind: registry.Entity, by: Actor) -> QuerySet:
    seen = kind.model.objects.visible_to(by).filter(pk=OuterRef("entity_id"))
    return seen.values(told=Concat(F(kind.public_id), Value(" "), F(kind.title), output_field=TextField()))
