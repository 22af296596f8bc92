"""The audit log as admins read it: every entry of the workspace, newest first, with names instead of keys."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst

from audit import values as audited
from audit.models import Entry
from audit.subjects import all_subjects, subject
from audit.timeline import read_cursor
from crm.conditions.relative_dates import start_of
from crm.entities import registry
from crm.entities.differences import CHANNELS, Difference, differences
from crm.entities.display import NOTHING, Names, names_by_entity
from crm.entities.people import members
from crm.entities.values import public_id_in, zone
from crm.events.registry import all_events, event_type
from crm.kit.actor import Channel
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.exporting import csv_text
from crm.lists.formulas import escape
from crm.users.models import Membership

PAGE = 50  # entries
CHUNK = 1000  # entries of an export at a time
TITLES = ("name", "label", "message", "email", "slug")  # what names a setting
HEADER = ("time", "member", "channel", "event", "entity", "entity_id", "old", "new", "note", "change")


class AuditFilter(forms.Form):
    """Filter by member, kind of record, event, channel, record and days. Everything is optional."""

    member = forms.ChoiceField(label=_("Member"), required=False)
    kind = forms.ChoiceField(label=_("Record type"), required=False)
    event = forms.ChoiceField(label=_("Event"), required=False)
    channel = forms.ChoiceField(label=_("Channel"), required=False)
    record = forms.CharField(label=_("Record ID"), required=False, max_length=30)
    first = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        people = sorted(((str(pk), row.label) for pk, row in members().rows.items()), key=lambda pair: pair[1])
        events = sorted(((kind.name, str(kind.label)) for kind in all_events()), key=lambda pair: pair[1])
        channels = [(channel.value, str(label).capitalize()) for channel, label in CHANNELS.items() if label]
        choices = {
            "member": [("", gettext("Anyone")), ("system", "Throughline"), *people],
            "kind": [("", gettext("All record types")), *_kinds()],
            "event": [("", gettext("All events")), *events],
            "channel": [("", gettext("All channels")), (Channel.WEB.value, gettext("In the browser")), *channels],
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]

    def clean_record(self) -> tuple[str, int] | None:
        text = self.cleaned_data["record"].strip()
        if not text:
            return None
        for entity in registry.all_entities():
            if public_id := public_id_in(entity, text):
                found = entity.model.objects.filter(**{entity.public_id: public_id}).values_list("pk", flat=True)
                if pk := found.first():
                    return entity.name, pk
        raise forms.ValidationError(_("No record with this ID, e.g. contact_Nw8rTxJv1."))

    def entries(self) -> QuerySet:
        """Return the entries that were asked for, newest first."""
        asked, wanted = self.cleaned_data, Q()
        if asked.get("member"):
            wanted &= Q(member_id=None if asked["member"] == "system" else int(asked["member"]))
        if asked.get("record"):
            wanted &= Q(entity=asked["record"][0], entity_id=asked["record"][1])
        if asked.get("channel"):
            wanted &= Q(channel=asked["channel"])
        if asked.get("first"):
            wanted &= Q(at__gte=start_of(asked["first"], zone()))
        if asked.get("last"):
            wanted &= Q(at__lt=start_of(asked["last"] + timedelta(days=1), zone()))
        found = Entry.objects.filter(wanted).order_by("-at", "-id")
        found = found.of_kind(asked["kind"]) if asked.get("kind") else found
        return found.of_event(event_type(asked["event"])) if asked.get("event") else found


def _kinds() -> list[tuple[str, str]]:
    """Return the kinds of record and of setting by name."""
    labels = {entity.name: str(entity.label) for entity in registry.all_entities()}
    named = [(about.entity, labels.get(about.entity) or _model_name(about.model)) for about in all_subjects()]
    return sorted(named, key=lambda pair: pair[1])


def _model_name(model: Any) -> str:
    return capfirst(str(model._meta.verbose_name))


@dataclass(frozen=True)
class AuditLine:
    """An entry with names: who, what, on which record, from and to. `url` is '' for a record without a page."""

    entry: Entry
    who: str
    channel: str
    event: str
    record: str
    url: str
    differences: Sequence[Difference]


def page(found: QuerySet, before: str) -> tuple[list[AuditLine], str]:
    """Return one page of lines and the cursor of the next, '' at the end. Raises BadRequest for a bad cursor."""
    if place := read_cursor(before):
        found = found.filter(Q(at__lt=place[0]) | Q(at=place[0], id__lt=place[1]))
    entries = list(found[: PAGE + 1])
    last = entries[PAGE - 1] if len(entries) > PAGE else None
    return lines(entries[:PAGE]), f"{last.at.isoformat()}~{last.pk}" if last else ""


def lines(entries: Sequence[Entry]) -> list[AuditLine]:
    """Return the entries with names, in a few statements."""
    declared = {entity.name for entity in registry.all_entities()}
    values = [(e.entity, part) for e in entries if e.entity in declared for part in (e.old_values, e.new_values)]
    names, titles = names_by_entity(values), _titles(entries)
    return [_line(entry, names, titles, declared) for entry in entries]


def _line(entry: Entry, names: Names, titles: dict[tuple[str, int], tuple[str, str]], declared: set[str]) -> AuditLine:
    title, url = titles.get(entry.record, ("", ""))
    changed = differences(entry.entity, entry, names) if entry.entity in declared else _raw(entry)
    who = names.people.get(entry.member_id or 0, gettext("A former user")) if entry.member_id else "Throughline"
    channel = str(CHANNELS.get(Channel(entry.channel), ""))
    return AuditLine(entry, who, channel, str(event_type(entry.event).label), title, url, changed)


def _raw(entry: Entry) -> list[Difference]:
    """Return the changes of a setting as they are stored."""
    if entry.old_values is None or entry.new_values is None:
        return []
    model, old = subject(entry.entity).model, entry.old_values
    changed = {key: value for key, value in entry.new_values.items() if value != old.get(key)}
    return [Difference(_label(model, key), _text(old.get(key)), _text(value)) for key, value in changed.items()]


def _label(model: Any, key: str) -> str:
    """Return the field's name where it has one in the reader's language, otherwise its key."""
    field = {each.name: each for each in model._meta.concrete_fields}.get(key)
    if field is None or not isinstance(field._verbose_name, Promise):
        return format_html("<code>{}</code>", key)
    return audited.field_label(model, key)


def _text(value: Any) -> str:
    if value in (None, "", []):
        return str(NOTHING)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _titles(entries: Iterable[Entry]) -> dict[tuple[str, int], tuple[str, str]]:
    """Return (entity, primary key) → the record's name and URL, in one statement; deleted records have none."""
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        wanted.setdefault(entry.entity, set()).add(entry.entity_id)
    declared = {entity.name: entity for entity in registry.all_entities()}
    people = members().rows if "member" in wanted else {}
    found = {("member", pk): (people[pk].label, "") for pk in wanted.pop("member", set()) & people.keys()}
    queries = [rows for name, keys in wanted.items() if (rows := _titled(name, declared.get(name), keys)) is not None]
    for name, pk, title, public_id in queries[0].union(*queries[1:], all=True) if queries else ():
        url = declared[name].url_of(public_id) if name in declared else ""
        found[name, pk] = (str(title or public_id), url)
    return found


def _titled(name: str, entity: registry.Entity | None, keys: set[int]) -> QuerySet | None:
    """Return (entity, primary key, title, public id or '') of records or settings; None for those without a name."""
    model = entity.model if entity else subject(name).model
    title = entity.title_path if entity else _title_of(model)
    if not title:
        return None
    public_id = Cast(F(entity.public_id), TextField()) if entity else Value("", TextField())
    rows = model._default_manager.filter(pk__in=keys).order_by()
    return rows.values_list(Value(name, TextField()), "pk", Cast(F(title), TextField()), public_id)


def _title_of(model: Any) -> str:
    columns = {field.name for field in model._meta.concrete_fields}
    return next((each for each in TITLES if each in columns), "")


def export(found: QuerySet) -> Iterator[str]:
    """Yield the entries as CSV: keys, ISO times and JSON, the same in every language."""
    emails = dict(Membership.objects.values_list("pk", "user__email"))
    yield csv_text([HEADER])
    rows: list[Sequence[str]] = []
    for entry in found.iterator(CHUNK):
        rows.append(_row(entry, emails))
        if len(rows) == CHUNK:
            yield csv_text(rows)
            rows = []
    yield csv_text(rows)


def _row(entry: Entry, emails: dict[int, str]) -> Sequence[str]:
    who = emails.get(entry.member_id, str(entry.member_id)) if entry.member_id else ""
    values = (
        "" if part is None else json.dumps(part, ensure_ascii=False) for part in (entry.old_values, entry.new_values)
    )
    row = (_iso(entry.at), who, entry.channel, entry.event, entry.entity, str(entry.entity_id), *values)
    return [escape(text) for text in (*row, entry.note or "", str(entry.change))]


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
