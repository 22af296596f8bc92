"""Import of engagement events: each is stored once, however often the file is imported."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from contacts.engagement import NewEngagement, check_moment, store
from contacts.imports.matching import ids_of, keys_of
from contacts.imports.parsers import plain
from contacts.models import Contact
from crm.entities.fields import FieldType
from crm.entities.values import parse_value
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.cells import remembered
from crm.lists.imports.mapping import MappedColumn, Mapping
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import BatchResult, IncomingRow
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRun

LONGEST_KEY = 254
NEEDED = ("kind", "occurred_at")


class EventImporter:
    """Importer of events for existing contacts, matched by external ID or email."""

    entity = "engagement"
    also = frozenset({"external_id", "email", "kind", "occurred_at"})
    elsewhere = {
        "external_id": ("ID", "Contact ID", "Lead ID", "Record ID"),  # not a text
        "email": ("Contact email", "Email address"),  # not a text
        "kind": ("Event name", "Activity type"),  # not a text
        "occurred_at": ("Occurred", "Happened at", "Created at"),  # not a text
    }
    lede = _("One row per event. The contact must already exist (matched by external ID or email).")

    def __init__(self, run: ImportRun, mapping: Mapping, scratch: Scratch, by: Actor) -> None:
        self.mapping, self.by = mapping, by

    def prepare(self, sheet: Sheet) -> None:
        """Raise Invalid for a file without contact, kind or time columns."""
        missing = [key for key in NEEDED if not self.mapping.feed(key)]
        if not (self.mapping.feed("external_id") or self.mapping.feed("email")):
            missing.insert(0, gettext("{field} or {other}").format(field="external_id", other="email"))
        if missing:
            raise Invalid(gettext("The file has no column for {fields}.").format(fields=", ".join(missing)))

    def parser(self, feed: MappedColumn) -> Callable[[str], Any]:
        field = feed.path.field
        if field.type is FieldType.DATETIME:
            return _moment(feed)
        if field.type is FieldType.SELECT:
            return remembered(lambda text: parse_value(field, text))
        return plain(field, LONGEST_KEY)

    def notes(self) -> list[str]:
        """Return no hints."""
        return []

    def write(self, rows: Sequence[IncomingRow]) -> BatchResult:
        people = _people(rows, self.by)
        refused = {row.line: told for row in rows if (told := _unfit(row, people))}
        if refused:
            return BatchResult(refused=refused)
        events = [NewEngagement(_found(row, people).pop(), row.own["kind"], row.own["occurred_at"]) for row in rows]
        created = len(store(events, by=self.by))
        return BatchResult(created, 0, len(rows) - created)

    def finish(self) -> Iterator[BatchResult]:
        return iter(())


def _moment(feed: MappedColumn) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        at = parse_value(feed.path.field, text)
        if at:
            check_moment(at)
        return at

    return read


def _people(rows: Sequence[IncomingRow], by: Actor) -> dict[str, int]:
    """Return the rows' contacts visible to `by`, by key (see keys_of); locked."""
    ids = ids_of({key for row in rows for key in keys_of(row)})
    seen = Contact.objects.live().visible_to(by).filter(pk__any_of=sorted(ids)).order_by("pk")
    found: dict[str, int] = {}
    for person in seen.only("external_id", "address_rows").select_for_update(of=("self",)):
        keys = [f"id {person.external_id}", *(f"mail {key}" for key in person.email_keys)]
        found |= dict.fromkeys(keys, person.pk)
    return found


def _found(row: IncomingRow, people: dict[str, int]) -> set[int]:
    return {people[key] for key in keys_of(row) if key in people}


def _unfit(row: IncomingRow, people: dict[str, int]) -> tuple[str, str] | None:
    for key in NEEDED:
        if key not in row.own:
            return key, gettext("{field} is required.").format(field=key)
    found = _found(row, people)
    if len(found) == 1:
        return None
    if found:
        return "", gettext("External ID and email match two different contacts.")
    name = row.own.get("external_id") or row.own.get("email")
    if name:
        return "", gettext("No contact matches “{name}”.").format(name=name)
    return "", gettext("Enter the contact’s external_id or email.")
