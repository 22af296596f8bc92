"""Columns of a list: which database columns each needs and how its cell is written.

Cells are Python functions of the field's type: at 50 rows an included template per cell takes ten times as long.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.entities import registry
from crm.entities.fields import Field, FieldType
from crm.entities.people import members
from crm.entities.sql import orm_value
from crm.kit.templatetags.frame import ago, initials

EMPTY = format_html('<span class="muted" aria-label="{}">—</span>', "empty")


@dataclass(frozen=True)
class Column:
    """A field shown in a list. `sources`: alias → expression to select; `cell(values, record)` writes it."""

    field: Field
    sources: dict[str, Any]
    cell: Callable[..., SafeString]

    @property
    def numeric(self) -> bool:
        """Whether the cell is set to the right, in figures of one width."""
        return self.field.type in (FieldType.NUMBER, FieldType.PERCENT, FieldType.MONEY, FieldType.DATETIME)

    def css(self, place: int) -> str:
        """The cell's class in a row: the name leads, figures align, the fourth and further are left out on a phone."""
        return "name" if place == 0 else " ".join(["num"] * self.numeric + ["low"] * (place > 3))


@dataclass(frozen=True)
class Row:
    """A record in a list: primary key, public id, its cells in the order of the columns."""

    pk: int
    public_id: str
    name: str
    cells: list[tuple[str, SafeString]]  # the cell's class, and what stands in it


def column(entity: registry.Entity, field: Field) -> Column:
    """The column that shows `field`. Raises KeyError for a field that stands for several records."""
    alias = f"column_{field.key}"
    if field.key == entity.title:
        return Column(field, {alias: F(field.column())}, _title(entity))
    if field.custom and field.type in (FieldType.USER, FieldType.LINK):
        return Column(field, {alias: orm_value(field)}, _custom_reference(field))
    return Column(field, _sources(alias, field), _CELLS[field.type](field))


def _sources(alias: str, field: Field) -> dict[str, Any]:
    path = field.column()
    if field.type is FieldType.LINK:
        target = registry.get(field.target)
        return {alias: F(f"{path}__{target.title}"), f"{alias}_id": F(f"{path}__{target.public_id}")}
    if field.type is FieldType.USER:
        return {alias: F(f"{path}__user__name"), f"{alias}_email": F(f"{path}__user__email")}
    if field.type is FieldType.TEAM:
        return {alias: F(f"{path}__name")}
    return {alias: orm_value(field)}


def _title(entity: registry.Entity):
    def cell(values, public_id):
        return format_html(
            '<a class="who" href="/{}/{}"><span class="avatar" aria-hidden="true">{}</span>'
            '<span class="primary">{}</span></a>',
            entity.name,
            public_id,
            initials(values[0]),
            values[0],
        )

    return cell


def _custom_reference(field: Field):
    """Custom links hold primary keys; names are looked up once for the whole page by `resolve`."""

    def cell(values, public_id):
        return format_html("{}", values[0]) if values[0] else EMPTY

    return cell


def resolve(columns: list[Column], rows: list[list]) -> None:
    """Put names in place of the primary keys that custom people and link fields hold."""
    for place, shown in enumerate(columns):
        if shown.field.custom and shown.field.type in (FieldType.USER, FieldType.LINK):
            names = _names(shown.field, {row[place][0] for row in rows} - {None})
            for row in rows:
                row[place] = [names.get(row[place][0])]


def _names(field: Field, keys: set[int]) -> dict[int, str]:
    if field.type is FieldType.USER:
        directory = members()
        return {pk: directory.label(pk) for pk in keys}
    target = registry.get(field.target)
    return dict(target.model.objects.filter(pk__in=keys).values_list("pk", target.title))


def _text(field: Field):
    return lambda values, public_id: format_html("{}", values[0]) if values[0] else EMPTY


def _clipped(field: Field):
    def cell(values, public_id):
        text = values[0] or ""
        return format_html("{}", text[:80] + "…" if len(text) > 80 else text) if text else EMPTY

    return cell


def _mail(field: Field):
    return lambda values, public_id: format_html('<a href="mailto:{0}">{0}</a>', values[0]) if values[0] else EMPTY


def _url(field: Field):
    def cell(values, public_id):
        url = values[0] or ""
        if not url.startswith(("http://", "https://")):
            return format_html("{}", url) if url else EMPTY
        return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', url, url.split("://", 1)[1].rstrip("/"))

    return cell


def _number(field: Field):
    return lambda values, public_id: EMPTY if values[0] is None else format_html("{}", figure(values[0]))


def figure(value: Any) -> str:
    """A number as people write it: thousands apart, no idle zeros."""
    text = f"{value:f}" if hasattr(value, "as_tuple") else str(value)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return number_format(text, use_l10n=True, force_grouping=True)


def _percent(field: Field):
    return lambda values, public_id: EMPTY if values[0] is None else format_html("{} %", figure(values[0] * 100))


def _date(field: Field):
    return lambda values, public_id: EMPTY if values[0] is None else format_html("{}", f"{_day(values[0]):%-d %b %Y}")


def _day(value: date | str) -> date:
    """A custom field's date is text where it comes from the record itself and not from a list's statement."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _moment(field: Field):
    return lambda values, public_id: ago(values[0]) if values[0] else EMPTY


def _yes_no(field: Field):
    return lambda values, public_id: EMPTY if values[0] is None else format_html("{}", "Yes" if values[0] else "No")


def _select(field: Field):
    choices = {choice.value: choice for choice in field.choices}

    def cell(values, public_id):
        if not values[0]:
            return EMPTY
        choice = choices.get(values[0])
        if choice is None or not choice.tone:
            return format_html("{}", choice.label if choice else values[0])
        return format_html('<span class="badge tone-{}">{}</span>', choice.tone, choice.label)

    return cell


def _multi_select(field: Field):
    def cell(values, public_id):
        return format_html_join(", ", "{}", ((field.choice_label(v),) for v in values[0] or ())) or EMPTY

    return cell


def _user(field: Field):
    return lambda values, public_id: format_html("{}", values[0] or values[1]) if values[1] else EMPTY


def _link(field: Field):
    def cell(values, public_id):
        return format_html('<a href="/{}/{}">{}</a>', field.target, values[1], values[0]) if values[1] else EMPTY

    return cell


_CELLS: dict[FieldType, Callable[[Field], Callable]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _clipped,
    FieldType.EMAIL: _mail,
    FieldType.PHONE: _text,
    FieldType.URL: _url,
    FieldType.NUMBER: _number,
    FieldType.PERCENT: _percent,
    FieldType.MONEY: _number,
    FieldType.DATE: _date,
    FieldType.DATETIME: _moment,
    FieldType.YES_NO: _yes_no,
    FieldType.SELECT: _select,
    FieldType.MULTI_SELECT: _multi_select,
    FieldType.USER: _user,
    FieldType.TEAM: _text,
    FieldType.LINK: _link,
}


def can_be_shown(field: Field) -> bool:
    """Whether a field can stand in a column."""
    return field.type in _CELLS
