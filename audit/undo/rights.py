"""Records that an undo must keep, because the actor may no longer change them."""

from collections.abc import Sequence

from audit.models import Entry
from audit.subjects import Guarded, Subject, person_subject
from crm.kit.actor import Actor, Role

WHOSE = {"owner", "team"}


def records_out_of_reach(about: Subject, entries: Sequence[Entry], by: Actor) -> set[int]:
    """Return records the actor may not change now, if their owner or team, or the actor's role or team, changed since.

    Otherwise the author of a change may undo it: a merge moves the duplicate's reports, with any owner, and records
    that the change itself reassigned come back.
    """
    rows = about.model._default_manager
    if by.is_at_least(Role.MANAGER) or not isinstance(rows, Guarded) or not entries:
        return set()
    persons = {entry.entity_id: entry.person for entry in entries}
    left = persons.keys() - set(rows.editable_by(by).filter(pk__any_of=list(persons)).values_list("pk", flat=True))
    if not left or _has_moved(entries, by):
        return left
    moved = _handed_on(about.entity, left, entries, by)
    moved_persons = _handed_on(person_subject().entity, {persons[pk] for pk in left} - {None}, entries, by)
    return {pk for pk in left if pk in moved or persons[pk] in moved_persons}


def _handed_on(entity: str, ids: set, entries: Sequence[Entry], by: Actor) -> set[int]:
    """Return the records whose owner or team another change set after the first entry."""
    others = Entry.objects.of_others(entries[0].change, by.change)
    rows = others.filter(entity=entity, entity_id__any_of=list(ids), old_values__isnull=False)
    first, found = min(entry.id for entry in entries), rows.values_list("entity_id", "id", "old_values")
    return {pk for pk, entry_id, old in found if entry_id > first and WHOSE & old.keys()}


def _has_moved(entries: Sequence[Entry], by: Actor) -> bool:
    """Return whether the actor's role or team changed after the first entry."""
    own = Entry.objects.filter(entity="member", entity_id=by.member_id, old_values__isnull=False)
    first, found = min(entry.id for entry in entries), own.values_list("id", "old_values")
    return any(entry_id > first and {"role", "team"} & old.keys() for entry_id, old in found)
