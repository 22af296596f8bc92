"""The timeline of a contact or company as sentences: who, what, when, by which channel, from and to."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, Q, QuerySet, TextField, Value, When
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import timeline
from audit.models import Entry
from contacts.engagement import sentence
from contacts.hooks import (
    annotate_attached_names,
    annotate_workflow_names,
    on_activities,
    on_timeline,
    sentences_of_many,
)
from contacts.models import Activity, Company, Contact, Participant
from crm.entities import registry
from crm.entities.differences import CHANNELS, Difference, differences
from crm.entities.display import NOTHING, Names, field_of, names_by_entity, shown
from crm.entities.fields import Field
from crm.entities.mentions import marked
from crm.entities.schema import schema
from crm.events.registry import event_type
from crm.kit import formats
from crm.kit.actor import Actor, Channel, Role
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace_id
from crm.kit.sql import array_param
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _

ICONS = {"task": "square", "call": "phone", "email": "mail", "meeting": "calendar", "note": "sticky-note"}
MOVES = {"QUALIFY", "CONVERT", "MOVE", "WIN", "LOSE", "CHURN", "PARTNER", "REOPEN", "REACTIVATE", "OVERRIDE"}
UNDOABLE = {"UPDATE", "ASSIGN", "MERGE", "DELETE", "RESTORE", *MOVES}
FOR_MANAGERS = {"CONVERT"}  # only managers can undo it (DESIGN 1.2)
WRITTEN_DOWN = {"activity.logged", "activity.planned", "activity.completed"}
FOLLOWING = {
    "contact.engaged",
    "contact.disengaged",
    "lead.contacted",
    "suppression.added",
}  # unless there is nothing else
UNDONE = {
    "contact.merged": _("{who} unmerged a duplicate"),
    "contact.absorbed": _("{who} unmerged this contact from another"),
    "company.merged": _("{who} unmerged a duplicate"),
    "company.absorbed": _("{who} unmerged this company from another"),
}
# By event and kind of activity.
ACTIVITIES = {
    ("logged", "note"): _("{who} added a note"),
    ("logged", "call"): _("{who} logged a call"),
    ("logged", "email"): _("{who} logged an email"),
    ("logged", "meeting"): _("{who} logged a meeting"),
    ("logged", "task"): _("{who} logged a task"),
    ("planned", "call"): _("{who} scheduled a call"),
    ("planned", "email"): _("{who} scheduled an email"),
    ("planned", "meeting"): _("{who} scheduled a meeting"),
    ("planned", "task"): _("{who} created a task"),
    ("updated", "note"): _("{who} changed a note"),
    ("updated", "call"): _("{who} changed a call"),
    ("updated", "email"): _("{who} changed an email"),
    ("updated", "meeting"): _("{who} changed a meeting"),
    ("updated", "task"): _("{who} changed a task"),
    ("completed", "call"): _("{who} completed a call"),
    ("completed", "email"): _("{who} completed an email"),
    ("completed", "meeting"): _("{who} completed a meeting"),
    ("completed", "task"): _("{who} completed a task"),
    ("deleted", "note"): _("{who} deleted a note"),
    ("deleted", "call"): _("{who} deleted a call"),
    ("deleted", "email"): _("{who} deleted an email"),
    ("deleted", "meeting"): _("{who} deleted a meeting"),
    ("deleted", "task"): _("{who} deleted a task"),
    ("restored", "note"): _("{who} restored a note"),
    ("restored", "call"): _("{who} restored a call"),
    ("restored", "email"): _("{who} restored an email"),
    ("restored", "meeting"): _("{who} restored a meeting"),
    ("restored", "task"): _("{who} restored a task"),
}
# Names of a contact's axes where several appear together.
AXES = {
    ("lead", "status"): _("Lead status"),
    ("lead", "stage"): _("Qualification stage"),
    ("opportunity", "stage"): _("Opportunity stage"),
}


@dataclass
class Item:
    """One line: a user's action, and below it the `effects` of the product's rules.

    `text` is a sentence with {who} and the placeholders in `values`; `changed` is an edit's single field in it.
    """

    icon: str
    who: str
    text: str
    at: datetime
    channel: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    effects: list[Difference] = field(default_factory=list)
    is_edit: bool = False
    is_move: bool = False
    note: str = ""
    activity: Activity | None = None
    about: list[tuple[str, str]] = field(default_factory=list)  # names and URLs of records shown in another's timeline
    subject: str = ""  # of the activity, as HTML
    body: str = ""
    undo: UUID | None = None
    undo_label: str = _("Undo")
    warning: bool = False
    engaged: Counter[str] = field(default_factory=Counter)  # engagement counts, if there is nothing else

    @property
    def sentence(self) -> SafeString:
        """Return the sentence. An edit of the record itself names its field, or the number of fields."""
        values = {"who": format_html("<strong>{}</strong>", self.who)} | self.values
        if self.is_edit and self.differences:
            count = len(self.differences)
            if count == 1:
                return _edited(values["who"], self.differences[0])
            text = ngettext("{who} changed {count} field", "{who} changed {count} fields", count)
            return format_html(text, who=values["who"], count=count)
        return format_html(str(self.text), **values)

    @property
    def undo_url(self) -> str:
        """Where the change is undone. Thirty times a page: reverse() took 2 ms."""
        return f"/undo/{self.undo}"

    @property
    def told_in_full(self) -> bool:
        """Whether the line itself names the change: an edit in its sentence, a move behind it."""
        return (self.is_edit or self.is_move) and len(self.differences) == 1


def _edited(who: SafeString, one: Difference) -> SafeString:
    values = {
        "who": who,
        "field": format_html("<strong>{}</strong>", one.label),
        "old": format_html("<del>{}</del>", one.old),
        "new": format_html("<ins>{}</ins>", one.new),
    }
    if one.is_set:
        return format_html(gettext("{who} set {field} to {new}"), **values)
    if one.is_cleared:
        return format_html(gettext("{who} cleared {field} (was {old})"), **values)
    return format_html(gettext("{who} changed {field}: {old} → {new}"), **values)


Page = tuple[list[Item], list[Activity], str]
Entries = Callable[..., QuerySet]  # (viewer, **values), see audit.timeline.Timeline


def of_contact(contact: Contact, by: Actor, before: str = "") -> Page:
    """Return a page of a contact's timeline, its open tasks, and the next cursor. Four or five statements.

    Includes the duplicates merged into it, and the activities in which they take part.
    """

    def build(member: int | None, team: int | None, pk: Any) -> QuerySet:
        merged = Contact.objects.filter(merged_into=pk)
        theirs = Participant.objects.live().filter(Q(contact=pk) | Q(contact__in=merged.values("pk")))
        joined = Activity.objects.visible_to(replace(by, member_id=member, team_id=team))
        rows = [("ids", merged), ("joined", joined.filter(pk__in=theirs.values("activity")))]
        first, second = (each.order_by().values_list(Value(name, TextField()), "pk") for name, each in rows)
        return first.union(second, all=True)

    keys: dict[str, list[int]] = {"ids": [contact.pk], "joined": []}
    key = ("merged", workspace_id(), by.role)
    for name, pk in run_cached(key, build, member=by.member_id, team=by.team_id, pk=contact.pk):
        keys[name].append(pk)
    given = {name: array_param(found) for name, found in keys.items() if found}
    whom = Q(contact=contact.pk) | Q(pk__in=keys["joined"])
    return _page("contact", _of_person, given, whom, by, before, ("about",))


def _of_person(seen_by: Actor, ids: Any, joined: Any = None) -> QuerySet:
    found = timeline.of_person(ids)
    if joined is not None:
        found |= Entry.objects.filter(entity="activity", entity_id__any_of=joined)
    return annotate_attached_names(found, seen_by)


def of_company(company: Company, by: Actor, before: str = "") -> Page:
    """Return a company's timeline: own changes and activities, and those of its people, as far as visible.

    Includes the duplicates merged into it.
    """

    def entries(seen_by: Actor, pk: Any, ids: Any, people: Any, done: Any) -> QuerySet:
        found = Q(entity="activity") & (Q(person__any_of=people) | Q(entity_id__any_of=done))
        for hook in on_timeline:
            found |= hook("company", pk, seen_by)
        return annotate_attached_names(
            Entry.objects.filter(Q(entity="company", entity_id__any_of=ids) | found), seen_by
        )

    # Keys instead of subqueries: under OR they would make PostgreSQL read the whole log.
    around = {name: array_param(found) for name, found in keys_around(company, by).items()}
    values = {"pk": company.pk} | around
    return _page("company", entries, values, Q(company=company.pk), by, before, ("about",))


def keys_around(company: Company, by: Actor) -> dict[str, list[int]]:
    """Return, in one statement, the keys of a company and its duplicates, of its people, and of its own activities
    and those in which its people take part.

    As far as the actor sees them; people include the contacts merged into them. Kept with the company, because both its
    timeline and its card ask.
    """
    known = company.__dict__.setdefault("keys_around", {})
    if by not in known:
        known[by] = _read_keys_around(company, by)
    return known[by]


def _read_keys_around(company: Company, by: Actor) -> dict[str, list[int]]:
    people = Contact.objects.live().visible_to(by).filter(company=company)
    joined = Participant.objects.live().filter(contact__in=people)
    rows = [
        ("ids", Company.objects.filter(Q(pk=company.pk) | Q(merged_into=company.pk))),
        ("people", people),
        ("people", Contact.objects.filter(merged_into__in=people)),
        ("done", Activity.objects.visible_to(by).filter(company=company)),
        ("done", Activity.objects.visible_to(by).filter(participants__in=joined)),
    ]
    first, *rest = (each.order_by().values_list(Value(name, TextField()), "pk") for name, each in rows)
    keys: dict[str, list[int]] = {"ids": [], "people": [], "done": []}
    for name, pk in first.union(*rest, all=True):
        keys[name].append(pk)
    return keys


def linked_record_timeline(record: Any, by: Actor, before: str = "") -> Page:
    """Return the timeline of a contact's or company's record: own changes, and the activities of whom it belongs to."""
    company = getattr(record, "company_id", None)
    if company and not record.contact_id:
        return _with_activities(record, "company", [company], by, before)
    return _with_activities(record, "contact", [record.contact_id or 0], by, before)


def own_activities_timeline(record: Any, by: Actor, before: str = "") -> Page:
    """Return the timeline of a record that activities can be about: own changes, and those activities."""
    return _with_activities(record, registry.entity_of(type(record)), [record.pk], by, before)


def people_timeline(record: Any, people: Iterable[int], by: Actor, before: str = "") -> Page:
    """Return the same with all activities of these contacts (their primary keys)."""
    entity = registry.entity_of(type(record))
    own = Activity.objects.filter(**{entity: record}).values_list("contact", flat=True)
    return _with_activities(record, "contact", sorted({*people, *own} - {None}), by, before)


def of_record(record: Any, by: Actor, before: str = "") -> Page:
    """Return the timeline of a record without activities: own changes."""
    entity = registry.entity_of(type(record))
    return _page(entity, lambda seen_by, pk: timeline.of_record(entity, pk), {"pk": record.pk}, None, by, before)


def _with_activities(record: Any, link: str, whose: list[int], by: Actor, before: str) -> Page:
    """Return the timeline of a record with the activities whose `link` is one of the keys `whose`."""
    entity = registry.entity_of(type(record))

    def entries(seen_by: Actor, pk: Any, whose: Any) -> QuerySet:
        done = Activity.objects.visible_to(seen_by).filter(**{f"{link}__id__any_of": whose}).values("pk")
        attached = (hook(entity, pk, seen_by) for hook in on_timeline)
        found = timeline.of_record(entity, pk, Q(entity="activity", entity_id__in=done), *attached)
        return annotate_attached_names(found, seen_by)

    values = {"pk": record.pk, "whose": array_param(whose)}
    return _page(entity, entries, values, Q(**{f"{link}__in": whose}), by, before, ("about",), link)


def _page(
    entity: str,
    entries: Entries,
    values: Mapping[str, Any],
    whom: Q | None,
    by: Actor,
    before: str,
    names: tuple[str, ...] = (),
    link: str = "",
) -> Page:
    """Return a page of the timeline from `entries` on a record of `entity`, with the open tasks about `whom`."""
    asked = _asked((entity, link, *values), entries, values, by, names)
    actions, cursor = timeline.page(asked, timeline.read_cursor(before))
    mentioned = {e.entity_id for action in actions for e in action.entries if e.entity == "activity"}
    is_open = Q(status="pending", deleted_at__isnull=True) & (whom or Q(pk__in=[]))
    marked_open = Case(When(is_open, then=True), default=False, output_field=BooleanField())
    visible = Activity.objects.visible_to(by).filter(Q(pk__in=mentioned) | is_open).select_related("contact")
    visible = visible.annotate(is_open=marked_open)
    activities = _with_attachments({row.pk: row for row in visible}, by)
    told = [e for action in actions for e in action.entries if _labeled(e.entity) and e.old_values]
    told = [e for e in told if e.entity != "activity" or e.event == "activity.updated"]
    known = names_by_entity((e.entity, values) for e in told for values in (e.old_values, e.new_values))
    items = _together([_item(_main_first(action), entity, activities, known, by) for action in actions])
    waiting = [row for row in activities.values() if row.is_open]
    return items, sorted(waiting, key=lambda row: (row.due_at is None, row.due_at, row.pk)), cursor


def _with_attachments(activities: dict[int, Activity], by: Actor) -> dict[int, Activity]:
    """Set `attached` of each activity: what other apps show with it, as HTML."""
    for hook in on_activities if activities else ():
        for pk, html in hook(activities.keys(), by).items():
            activities[pk].attached = html
    return activities


def _asked(
    about: tuple[str, ...], entries: Entries, values: Mapping[str, Any], by: Actor, names: tuple[str, ...]
) -> timeline.Timeline:
    def build(member: int | None, team: int | None, **given: Any) -> QuerySet:
        return annotate_workflow_names(entries(replace(by, member_id=member, team_id=team), **given))

    key = (workspace_id(), about, by.role)
    values = {**values, "member": by.member_id, "team": by.team_id}
    return timeline.Timeline(key, build, ("author", *names), values)


def _main_first(action: timeline.Action) -> timeline.Action:
    """Put a person's own change before its effects by the product's rules."""
    derived = _derived(action)

    def weight(entry: Entry) -> tuple[bool, bool]:
        return entry.event not in WRITTEN_DOWN, entry.id in derived

    return replace(action, entries=tuple(sorted(action.entries, key=weight)))


def _derived(action: timeline.Action) -> set[int]:
    """Return entries that follow from others by a rule, including a qualification by the lead's score."""
    by_rule = {entry.id for entry in action.entries if event_type(entry.event).derived}
    events = {entry.event for entry in action.entries}
    events_by_entry = {
        entry.id: (entry.note or "") if entry.action == "UNDO" else entry.event for entry in action.entries
    }
    if set(events_by_entry.values()) - FOLLOWING:
        by_rule |= {pk for pk, event in events_by_entry.items() if event in FOLLOWING}
    if events & {"lead.restaged", "lead.synced"} and "lead.qualified" not in events:
        by_rule |= {entry.id for entry in action.entries if entry.event == "contact.qualified"}
    return by_rule


def _item(action: timeline.Action, entity: str, activities: dict[int, Activity], names: Names, by: Actor) -> Item:
    first = action.first
    kind = event_type(first.event)
    is_derived = first.id in _derived(action)
    channel = "" if is_derived or bool(getattr(first, "author", "")) else CHANNELS.get(Channel(first.channel), "")
    item = Item(kind.icon, _who(first, names, is_derived), kind.sentence, first.at, channel)
    item.warning, item.is_move = first.severity == "warning", first.action in MOVES
    item.is_edit = first.event in (f"{entity}.updated", f"{entity}.assigned")
    own = first.member_id == by.member_id and first.action not in FOR_MANAGERS
    if first.action in UNDOABLE and (own or by.is_at_least(Role.MANAGER)):
        item.undo = action.change
    _say(item, action, entity, activities, names)
    return item


def _who(entry: Any, names: Names, is_derived: bool) -> str:
    if entry.author:
        return gettext("Workflow “{name}”").format(name=entry.author)
    if entry.channel == Channel.MAIL:
        return gettext("The contact")
    if is_derived or not entry.member_id:
        return "Throughline"
    return names.people.get(entry.member_id, gettext("A former user"))


def _say(item: Item, action: timeline.Action, entity: str, activities: dict[int, Activity], names: Names) -> None:
    first = action.first
    item.note = first.note or ""
    if first.entity == "activity":
        _say_activity(item, first, activities.get(first.entity_id), names)
        if entity == "company" and item.activity and item.activity.contact:
            item.about = [(item.activity.contact.name, item.activity.contact.get_absolute_url())]
    elif first.event == "contact.engaged":
        _say_engaged(item, action)
    elif first.event in ("contact.merged", "company.merged"):
        _say_merge(item, action, first)
    else:
        if first.action == "UNDO":
            _say_undone(item, first)
        item.differences = _over_all([entry for entry in action.entries if entry.entity == entity], entity, names)
        _say_created(item, first)
        if first.entity != entity:
            _say_attached(item, action, names)
    if first.action != "UNDO":
        told = entity if item.differences and first.entity == entity else ""
        item.effects = list(_effects(item, action, names, told))


def _effects(item: Item, action: timeline.Action, names: Names, told: str) -> Iterator[Difference]:
    """Yield the action's other moves, without those of entity `told`, and the engagement it showed."""
    seen = {(d.old, d.new) for d in item.differences}
    found: dict[str, Difference] = {}
    others = [entry for entry in action.entries[1:] if entry.entity != told]
    for entry in sorted(others, key=attrgetter("id")):
        if entry.event == "contact.engaged" and not item.engaged:
            done = sentence((entry.new_values or {}).get("engagement", {}))
            yield Difference(gettext("Engagement"), NOTHING, done[:1].upper() + done[1:])
        for axis in _moved_axes(entry):
            known = field_of(schema(entry.entity), axis)
            old, new = (_shown_value(known, values, axis, names) for values in (entry.old_values, entry.new_values))
            label = AXES.get((entry.entity, axis)) or (known.label if known else axis)
            found[label] = Difference(label, found[label].old if label in found else old, new)
    yield from (each for each in found.values() if (each.old, each.new) not in seen)


def _labeled(entity: str) -> bool:
    """Return whether the entity's fields are declared, so that changes can be named."""
    return entity in {each.name for each in registry.all_entities()}


def _moved_axes(entry: Entry) -> list[str]:
    old, new = entry.old_values or {}, entry.new_values or {}
    return [key for key in new if f"{key}_since" in new and key in old] if _labeled(entry.entity) else []


def _shown_value(known: Field | None, values: dict | None, key: str, names: Names) -> str:
    return shown(known, (values or {}).get(key), names)


def _over_all(entries: list[Entry], entity: str, names: Names) -> list[Difference]:
    """Return net changes: a contact won from Lead over Qualified to Customer is one line."""
    found: dict[tuple[int, str], Difference] = {}
    for entry in sorted(entries, key=attrgetter("id")):
        for one in differences(entity, entry, names):
            key = (entry.entity_id, one.label)
            found[key] = replace(one, old=found.get(key, one).old)
    return list(found.values())


def _say_undone(item: Item, first: Entry) -> None:
    """Describe an undo by the event it reverted, in its note."""
    kind, item.note = event_type(first.note) if first.note else None, ""
    item.text = UNDONE.get(kind.name if kind else "", "")
    if not item.text and kind:
        item.text, item.values = gettext("{who} undid a change: {event}"), {"event": kind.label}
    item.text = item.text or event_type(first.event).sentence


def _say_created(item: Item, first: Entry) -> None:
    if first.old_values is None:
        item.differences = []
    if first.event == "contact.captured" and (first.old_values is not None or not first.new_values):
        item.text = gettext("{who} updated this contact from a new inquiry")
    if first.action == "CREATE":
        source = first.note or (first.new_values or {}).get("source")
        item.note = gettext("Source: {source}").format(source=source) if source else ""


def _say_attached(item: Item, action: timeline.Action, names: Names) -> None:
    """Name the record and its move, or all records of the same event; other changes are shown on their own page."""
    first = action.first
    alike = sorted((entry for entry in action.entries if entry.event == first.event), key=attrgetter("id"))
    item.about = [named for entry in alike if (named := _named(entry))]
    if len(item.about) > 1:
        item.text = sentences_of_many.get(first.event, item.text)
    item.is_edit = False
    if _labeled(first.entity) and first.old_values is not None:
        item.differences = differences(first.entity, first, names)


def _named(entry: Any) -> tuple[str, str] | None:
    """Return an attached record's name and URL."""
    public_id, _space, name = getattr(entry, "about", "").partition(" ")
    return (name, reverse(entry.entity, args=[public_id]) if public_id else "") if name else None


def _say_activity(item: Item, entry: Entry, activity: Activity | None, names: Names) -> None:
    item.undo = None
    known = entry.new_values or entry.old_values or {}
    kind = activity.kind if activity else known.get("kind", "activity")
    if entry.action == "UNDO":
        _say_undone(item, entry)
        return
    item.text = ACTIVITIES.get((entry.event.partition(".")[2], kind), item.text)
    if activity is None or activity.deleted_at:
        item.note = f"“{known['subject']}”" if known.get("subject") else ""
        return
    item.icon = ICONS[activity.kind] if entry.event != "activity.completed" else item.icon
    item.activity = activity
    if entry.event == "activity.updated":
        item.differences = differences("activity", entry, names)
    item.subject, item.body = marked(activity.subject, names.handles), marked(activity.body, names.handles)


def _say_engaged(item: Item, action: timeline.Action) -> None:
    for entry in action.entries:
        item.engaged.update((entry.new_values or {}).get("engagement", {}))
    item.text, item.values = gettext("{who} recorded engagement: {what}"), {"what": sentence(item.engaged)}


def _together(items: list[Item]) -> list[Item]:
    """Combine consecutive engagement by one author into one line, at the latest time."""
    found: list[Item] = []
    for item in items:
        last = found[-1] if found else None
        if last and item.engaged and last.engaged and (item.who, item.channel) == (last.who, last.channel):
            last.engaged.update(item.engaged)
            last.values, last.undo = {"what": sentence(last.engaged)}, None
        else:
            found.append(item)
    return found


def _say_merge(item: Item, action: timeline.Action, first: Entry) -> None:
    moved = action.counts.get("activity", 0)
    if first.note:
        item.text, item.values = gettext("{who} merged “{name}” into this contact"), {"name": first.note}
        if first.entity == "company":
            item.text = gettext("{who} merged “{name}” into this company")
    text = ngettext("{count} activity moved", "{count} activities moved", moved)
    item.note = text.format(count=formats.number(moved)) if moved else ""
    item.undo_label = gettext("Unmerge")
