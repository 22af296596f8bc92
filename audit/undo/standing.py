"""Effective changes: undone ones don't count, so that changes can be undone one by one, newest first."""

from typing import Any, NamedTuple

from audit.models import EntryQuerySet

READ = ("entity", "entity_id", "person", "id", "event", "old_values", "new_values")


class Change(NamedTuple):
    """One value's change in one entry."""

    entry: int
    person: int | None
    old: Any
    new: Any


def standing_changes(entries: EntryQuerySet) -> dict[tuple[str, int, str], Change]:
    """Map (entity, record, key) to its last effective change; the key '' is for an entry without values.

    An undo restores only a value's last change, so it is recognized by reversing the previous entry's values.
    """
    standing: dict[tuple[str, int, str], list[Change]] = {}
    for entity, pk, person, entry_id, event, olds, news in entries.order_by("id").values_list(*READ):
        olds, news = olds or {}, news or {}
        for key in olds | news or {"": None}:
            changes, old, new = standing.setdefault((entity, pk, key), []), olds.get(key), news.get(key)
            if event == f"{entity}.undone" and changes and (changes[-1].old, changes[-1].new) == (new, old):
                changes.pop()
            else:
                changes.append(Change(entry_id, person, old, new))
    return {key: changes[-1] for key, changes in standing.items() if changes}
