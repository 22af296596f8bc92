"""Names of files, unique among those of a record."""

from collections.abc import Iterable, Sequence
from itertools import count

from crm.files.models import Attachment


def taken_names(entity: str, pk: int, but: Sequence[int] = ()) -> set[str]:
    """Return the names of a record's files, folded, without those of the files `but`."""
    rows = Attachment.objects.live().filter(**{entity: pk}).exclude(pk__in=but)
    return {name.casefold() for name in rows.values_list("name", flat=True)}


def unique_names(entity: str, pk: int, names: Iterable[str]) -> list[str]:
    """Return the names, numbered where another file of the record has the same: “offer (2).pdf”."""
    taken, found = taken_names(entity, pk), []
    for name in names:
        found.append(next(each for each in _variants(name) if each.casefold() not in taken))
        taken.add(found[-1].casefold())
    return found


def _variants(name: str) -> Iterable[str]:
    yield name
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem else (name, "")
    for number in count(2):
        tail = f" ({number}){ending}"
        yield stem[: 200 - len(tail)] + tail
