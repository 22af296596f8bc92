"""The timeline of a contact or company as sentences: who did what, when, through which channel, from what to what."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse

from audit import timeline
from audit import values as audited
from audit.models import Entry
from audit.subjects import subject
from contacts.attached import named
from contacts.engagement import sentence
from contacts.models import Activity, Company, Contact
from crm.entities import registry
from crm.entities.display import Names, field_of, names_for, shown
from crm.entities.mentions import marked
from crm.entities.schema import schema
from crm.events.registry import event_type
from crm.kit.actor import Actor, Channel, Role

# Not worth a line of its own: it is said by the move or the sentence that it came with.
SILENT = {"deleted_at", "merged_into", "avatar"}
CHANNELS = {
    Channel.WEB: "",
    Channel.API: "through the API",
    Channel.MCP: "through an assistant",
    Channel.IMPORT: "by import",
    Channel.COMMAND: "by command",
    Channel.WORKFLOW: "by a workflow",
    Channel.MAIL: "by a link in a mail",
    Channel.ADMIN: "in the admin",
    Channel.SYSTEM: "",
}
ICONS = {"task": "square", "call": "phone", "email": "mail", "meeting": "calendar", "note": "sticky-note"}
MOVES = {"QUALIFY", "CONVERT", "MOVE", "WIN", "LOSE", "CHURN", "PARTNER", "REOPEN", "REACTIVATE", "OVERRIDE"}
UNDOABLE = {"UPDATE", "ASSIGN", "MERGE", "DELETE", "RESTORE", *MOVES}
FOR_MANAGERS = {"CONVERT"}  # who did it cannot take it back unless they are one (DESIGN 1.2)
WRITTEN_DOWN = {"activity.logged", "activity.planned", "activity.completed"}
UNDONE = {
    "contact.merged": "unmerged a duplicate",
    "contact.absorbed": "unmerged this contact from another",
    "contact.updated": "took back a change",
    "company.updated": "took back a change",
}


@dataclass(frozen=True)
class Difference:
    """One field: from what to what."""

    label: str
    old: str
    new: str


@dataclass
class Item:
    """One line of the timeline."""

    icon: str
    who: str
    text: str
    at: datetime
    channel: str = ""
    differences: list[Difference] = field(default_factory=list)
    note: str = ""
    activity: Activity | None = None
    about: str = ""  # the name of a record that is told of in the timeline of another, and its address
    url: str = ""
    subject: str = ""  # of the activity, as HTML
    body: str = ""
    undo: UUID | None = None
    undo_label: str = "Undo"
    warning: bool = False
    engaged: Counter[str] = field(default_factory=Counter)  # what the contact did, where that is all it tells


def of_contact(contact: Contact, by: Actor, before: str = "") -> tuple[list[Item], list[Activity], str]:
    """A page of a contact's timeline, its open tasks, and the cursor of the next page. Four or five statements.

    What happened to the duplicates that were merged into it (`merged_ids`) is part of it.
    """
    ids = [contact.pk, *(contact.merged_ids or ())]
    return page("contact", named(timeline.of_person(ids), by), {"contact_id": contact.pk}, by, before)


def of_company(company: Company, by: Actor, before: str = "") -> tuple[list[Item], list[Activity], str]:
    """The same for a company: its own changes and its own activities."""
    own = Activity.objects.visible_to(by).filter(company=company).values("pk")
    entries = timeline.of_record("company", company.pk, Q(entity="activity", entity_id__in=own))
    return page("company", entries, {"company_id": company.pk}, by, before)


def page(
    entity: str, entries: QuerySet, whom: Mapping[str, int], by: Actor, before: str
) -> tuple[list[Item], list[Activity], str]:
    """A page of the timeline that `entries` make, on a record of `entity`; the open tasks are those about `whom`."""
    actions, cursor = timeline.page(entries, timeline.read_cursor(before))
    mentioned = {e.entity_id for action in actions for e in action.entries if e.entity == "activity"}
    is_open = Q(**whom) & Q(status="pending", deleted_at__isnull=True)
    seen = Activity.objects.visible_to(by).filter(Q(pk__in=mentioned) | is_open)
    activities = {row.pk: row for row in seen}
    values = [
        v for action in actions for e in action.entries if e.entity == entity for v in (e.old_values, e.new_values)
    ]
    names = names_for(entity, values)
    told = [part for action in actions for part in _apart(action)]
    items = _together([_item(action, entity, activities, names, by) for action in told])
    waiting = [row for row in activities.values() if row.status == "pending" and row.deleted_at is None]
    waiting = [row for row in waiting if all(getattr(row, key) == pk for key, pk in whom.items())]
    return items, sorted(waiting, key=lambda row: (row.due_at is None, row.due_at, row.pk)), cursor


def _apart(action: timeline.Action) -> list[timeline.Action]:
    """What somebody wrote down is a line of its own, below what the rules made of it."""
    written = tuple(entry for entry in action.entries if entry.event in WRITTEN_DOWN)
    if not written or action.first.action not in MOVES:
        return [action]
    others = tuple(entry for entry in action.entries if entry not in written)
    return [replace(action, entries=others), replace(action, entries=written)]


def _item(action: timeline.Action, entity: str, activities: dict[int, Activity], names: Names, by: Actor) -> Item:
    first = action.first
    kind = event_type(first.event)
    item = Item(kind.icon, _who(first, names), kind.phrase, first.at, CHANNELS.get(Channel(first.channel), ""))
    item.warning = first.severity == "warning"
    own = first.member_id == by.member_id and first.action not in FOR_MANAGERS
    if first.action in UNDOABLE and (own or by.is_at_least(Role.MANAGER)):
        item.undo = action.change
    _say(item, action, entity, activities, names)
    return item


def _who(entry: Entry, names: Names) -> str:
    return names.people.get(entry.member_id, "Somebody") if entry.member_id else "Throughline"


def _say(item: Item, action: timeline.Action, entity: str, activities: dict[int, Activity], names: Names) -> None:
    first = action.first
    item.note = first.note or ""
    if first.entity == "activity":
        _say_activity(item, first, activities.get(first.entity_id), names)
    elif first.event == "contact.engaged":
        _say_engaged(item, action)
    elif first.event == "contact.merged":
        _say_merge(item, action, first)
    else:
        if first.action == "UNDO":
            _say_undone(item, first)
        item.differences = _over_all([entry for entry in action.entries if entry.entity == entity], entity, names)
        _say_created(item, first)
        if first.entity != entity:
            _say_attached(item, first, names)


def _over_all(entries: list[Entry], entity: str, names: Names) -> list[Difference]:
    """What the action changed: a contact that won went from Lead over Qualified to Customer, and that is one line."""
    found: dict[tuple[int, str], Difference] = {}
    for entry in sorted(entries, key=attrgetter("id")):
        for one in differences(entity, entry, names):
            key = (entry.entity_id, one.label)
            found[key] = replace(one, old=found.get(key, one).old)
    return list(found.values())


def _say_undone(item: Item, first: Entry) -> None:
    """The note of an undo is the event that it took back."""
    item.text, item.note = UNDONE.get(first.note or "", ""), ""
    if not item.text:
        item.text = f"took back “{event_type(first.note).public}”" if first.note else "took back a change"


def _say_created(item: Item, first: Entry) -> None:
    if first.old_values is None:
        item.differences = []
    if first.action == "CREATE":
        source = first.note or (first.new_values or {}).get("source")
        item.text, item.note = f"{item.text} from {source}" if source else item.text, ""


def _say_attached(item: Item, first: Entry, names: Names) -> None:
    """The record by its name, and where it moved; what else was changed in it is told on its own page."""
    public_id, _, item.about = getattr(first, "about", "").partition(" ")
    item.url = reverse(first.entity, args=[public_id]) if public_id else ""
    item.text = (event_type(first.event).phrase if first.action == "CREATE" else item.text).replace("this ", "the ")
    if first.event in (f"{first.entity}.updated", f"{first.entity}.assigned"):
        item.text = f"{item.text} the {registry.get(first.entity).label.lower()}"
    if first.action in MOVES or any(key.endswith("_since") for key in first.new_values or ()):
        item.differences = differences(first.entity, first, names)


def _say_activity(item: Item, entry: Entry, activity: Activity | None, names: Names) -> None:
    item.undo = None
    if activity is None or activity.deleted_at:
        kind = (entry.new_values or {}).get("kind", "activity")
        item.text = f"{item.text} a{'n' if kind[0] in 'ae' else ''} {kind.replace('email', 'e-mail')}"
        item.note = "" if entry.event == "activity.logged" else item.note
        return
    kind = activity.get_kind_display().lower()
    item.icon = ICONS[activity.kind] if entry.event != "activity.completed" else item.icon
    item.text = f"{item.text} {'an' if kind[0] in 'ae' else 'a'} {kind}"
    item.activity = activity
    item.subject, item.body = marked(activity.subject, names.handles), marked(activity.body, names.handles)


def _say_engaged(item: Item, action: timeline.Action) -> None:
    for entry in action.entries:
        item.engaged.update((entry.new_values or {}).get("engagement", {}))
    item.text = f"recorded {sentence(item.engaged)}"


def _together(items: list[Item]) -> list[Item]:
    """Engagement that was recorded by the same person one after the other is one line, of the latest time."""
    found: list[Item] = []
    for item in items:
        last = found[-1] if found else None
        if last and item.engaged and last.engaged and (item.who, item.channel) == (last.who, last.channel):
            last.engaged.update(item.engaged)
            last.text, last.undo = f"recorded {sentence(last.engaged)}", None
        else:
            found.append(item)
    return found


def _say_merge(item: Item, action: timeline.Action, first: Entry) -> None:
    moved = action.counts.get("activity", 0)
    item.text = f"merged “{first.note}” into this contact" if first.note else item.text
    item.note = f"{moved:,} activit{'y' if moved == 1 else 'ies'} moved" if moved else ""
    item.undo_label = "Unmerge"


def differences(entity: str, entry: Entry, names: Names) -> list[Difference]:
    """What an entry changed, field by field, as text."""
    if entry.old_values is None or entry.new_values is None:
        return []
    known, silent, found = schema(entity), SILENT | subject(entity).following, []
    # A move sets more than its axis (a probability, when it was won), which goes without saying.
    moved = {key for key in entry.new_values if f"{key}_since" in entry.new_values}
    for key, new in entry.new_values.items():
        if key in (moved or entry.new_values.keys() - silent) and new != entry.old_values.get(key):
            shown_field = field_of(known, key)
            label = shown_field.label if shown_field else audited.label(subject(entity).model, key)
            old = shown(shown_field, entry.old_values.get(key), names)
            found.append(Difference(label, old, shown(shown_field, new, names)))
    return found
