"""Display of values on record pages and in timelines. Keys of records become names, in one statement."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import CharField, F, Value

from crm.entities import registry
from crm.entities.fields import Field, FieldType
from crm.entities.people import members
from crm.entities.schema import Schema, schema
from crm.entities.values import is_of_type
from crm.kit import formats
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Team

NOTHING = _("(empty)")


@dataclass
class Names:
    """Names of the members, teams and linked records among some values."""

    people: dict[int, str] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)  # mention handle → member's name
    records: dict[tuple[str, int], str] = field(default_factory=dict)


def field_of(known: Schema, key: str) -> Field | None:
    """Return the field of an audit log key (`custom.<key>` for custom fields)."""
    return known.fields.get(key.removeprefix("custom."))  # not a text


def names_for(entity: str, changes: Iterable[dict | None]) -> Names:
    """Return names for the keys in these values: at most one statement for people and one for other records."""
    return names_by_entity((entity, values) for values in changes)


def names_by_entity(changes: Iterable[tuple[str, dict | None]]) -> Names:
    wanted: dict[str, set[int]] = {}
    for entity, values in changes:
        known = schema(entity)
        for key, value in (values or {}).items():
            shown = field_of(known, key)
            if shown and isinstance(value, int) and shown.type in (FieldType.TEAM, FieldType.LINK):
                wanted.setdefault(shown.target or "team", set()).add(value)
    people = members().rows
    handles = {row.handle: row.label for row in people.values()}
    return Names({pk: row.label for pk, row in people.items()}, handles, _named(wanted))


def _named(wanted: dict[str, set[int]]) -> dict[tuple[str, int], str]:
    queries = []
    for kind, keys in wanted.items():
        model, title = (Team, "name") if kind == "team" else (registry.get(kind).model, registry.get(kind).title_path)
        rows = model.objects.filter(pk__any_of=keys).order_by()
        queries.append(rows.values_list(Value(kind, CharField()), "pk", F(title)))
    if not queries:
        return {}
    found = queries[0].union(*queries[1:], all=True) if len(queries) > 1 else queries[0]
    return {(kind, pk): name for kind, pk, name in found}


def shown(item: Field | None, value: Any, names: Names) -> str:
    """Return a value from the log or a record as text; NOTHING if empty."""
    if value is None or value == "" or value == []:
        return str(NOTHING)
    if item is None or (item.custom and not is_of_type(item, value)):
        return _of_another_type(value)
    return _SHOWN.get(item.type, _plain)(item, value, names)


def _of_another_type(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def shown_alone(item: Field, value: Any) -> str:
    """One value of a record as text, with the name of the member or team that it points to."""
    names = Names()
    if value and item.type is FieldType.USER:
        names.people = {pk: row.label for pk, row in members().rows.items()}
    elif value and item.type is FieldType.TEAM:
        names.records = _named({"team": {value}})
    return shown(item, value, names)


def _plain(item: Field, value: Any, names: Names) -> str:
    return str(value)


def _number(item: Field, value: Any, names: Names) -> str:
    return formats.number(Decimal(str(value)), item.decimals)


def _percent(item: Field, value: Any, names: Names) -> str:
    return formats.percent(value, 6)


def _date(item: Field, value: Any, names: Names) -> str:
    day = date.fromisoformat(value) if isinstance(value, str) else value
    return formats.day(day)


def _choice(item: Field, value: Any, names: Names) -> str:
    return item.choice_label(value)


def _choices(item: Field, value: Any, names: Names) -> str:
    return ", ".join(item.choice_label(part) for part in value)


def _person(item: Field, value: Any, names: Names) -> str:
    return names.people.get(value) or gettext("Deleted user")


def _record(item: Field, value: Any, names: Names) -> str:
    return names.records.get((item.target or "team", value)) or gettext("Deleted record")


def _moment(item: Field, value: Any, names: Names) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return formats.moment(moment)


def _yes_no(item: Field, value: Any, names: Names) -> str:
    return gettext("yes") if value else gettext("no")


_SHOWN = {
    FieldType.SELECT: _choice,
    FieldType.MULTI_SELECT: _choices,
    FieldType.USER: _person,
    FieldType.TEAM: _record,
    FieldType.LINK: _record,
    FieldType.DATE: _date,
    FieldType.DATETIME: _moment,
    FieldType.NUMBER: _number,
    FieldType.MONEY: _number,
    FieldType.PERCENT: _percent,
    FieldType.YES_NO: _yes_no,
}
