"""Columns of a list: which database columns each needs and how its cell is written.

Cells are Python functions of the field's type: at 50 rows an included template per cell takes ten times as long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from django.db.models import F
from django.utils import timezone

from crm.entities import registry
from crm.entities.fields import Field, FieldType
from crm.entities.people import members
from crm.entities.sql import orm_value
from crm.kit import formats
from crm.kit.templatetags.frame import due_element, initials, time_element

EMPTY = '<span class="muted" aria-label="empty">—</span>'


@dataclass(frozen=True)
class Column:
    """A field shown in a list. `sources`: alias → expression to select; `cell(values, public_id)` writes it as HTML.

    A cell escapes what it shows itself, by html.escape: at four hundred cells a page format_html() costs as much as
    everything else together.
    """

    field: Field
    sources: dict[str, Any]
    cell: Callable[[Sequence, str], str]

    @property
    def numeric(self) -> bool:
        """Whether the cell is set to the right, in figures of one width."""
        return self.field.type in (FieldType.NUMBER, FieldType.PERCENT, FieldType.MONEY, FieldType.DATETIME)

    def css(self, place: int) -> str:
        """The cell's class in a row: the name leads, figures align, the fourth and further are left out on a phone."""
        return "name" if place == 0 else " ".join(["num"] * self.numeric + ["low"] * (place > 3))


def column(entity: registry.Entity, field: Field) -> Column:
    """The column that shows `field`. Raises KeyError for a field that stands for several records."""
    alias = f"column_{field.key}"
    if field.key == entity.title:
        return Column(field, {alias: F(field.column())}, _title(entity))
    if field.custom and field.type in (FieldType.USER, FieldType.LINK):
        # Primary keys, which resolve() turns into names for the whole page at once.
        return Column(field, {alias: orm_value(field)}, _text(field))
    return Column(field, _sources(alias, field), _CELLS[field.type](field))


def _sources(alias: str, field: Field) -> dict[str, Any]:
    path = field.column()
    if field.type is FieldType.LINK:
        target = registry.get(field.target)
        return {alias: F(f"{path}__{target.title_path}"), f"{alias}_id": F(f"{path}__{target.public_id}")}
    if field.type is FieldType.USER:
        return {alias: F(f"{path}__user__name"), f"{alias}_email": F(f"{path}__user__email")}
    if field.type is FieldType.TEAM:
        return {alias: F(f"{path}__name")}
    if field.currency:
        return {alias: orm_value(field), f"{alias}_currency": F(field.currency)}
    return {alias: orm_value(field)}


def _title(entity: registry.Entity):
    def cell(values, public_id):
        return (
            f'<a class="who" href="/{entity.path}/{public_id}"><span class="avatar" aria-hidden="true">'
            f'{escape(initials(values[0]))}</span><span class="primary">{escape(values[0])}</span></a>'
        )

    return cell


def resolve(columns: list[Column], rows: list[list]) -> None:
    """Put names in place of the primary keys that custom people and link fields hold."""
    for index, shown in enumerate(columns):
        if shown.field.custom and shown.field.type in (FieldType.USER, FieldType.LINK):
            names = _names(shown.field, {row[index][0] for row in rows} - {None})
            for row in rows:
                row[index] = [names.get(row[index][0])]


def _names(field: Field, keys: set[int]) -> dict[int, str]:
    if field.type is FieldType.USER:
        directory = members()
        return {pk: directory.label(pk) for pk in keys}
    target = registry.get(field.target)
    return dict(target.model.objects.filter(pk__in=keys).values_list("pk", target.title_path))


def _text(field: Field):
    return lambda values, public_id: escape(values[0]) if values[0] else EMPTY


def _clipped(field: Field):
    def cell(values, public_id):
        text = values[0] or ""
        return escape(text[:80] + "…" if len(text) > 80 else text) if text else EMPTY

    return cell


def _mail(field: Field):
    def cell(values, public_id):
        address = escape(values[0] or "")
        return f'<a href="mailto:{address}">{address}</a>' if address else EMPTY

    return cell


def _url(field: Field):
    def cell(values, public_id):
        url = values[0] or ""
        if not url.startswith(("http://", "https://")):
            return escape(url) if url else EMPTY
        shown = escape(url.split("://", 1)[1].rstrip("/"))
        return f'<a href="{escape(url)}" rel="noopener noreferrer">{shown}</a>'

    return cell


def _number(field: Field):
    return lambda values, public_id: EMPTY if values[0] is None else formats.number(values[0])


def _money(field: Field):
    if not field.currency:
        return _number(field)
    return lambda values, public_id: EMPTY if values[0] is None else escape(formats.money(values[0], values[1]))


def _percent(field: Field):
    return lambda values, public_id: EMPTY if values[0] is None else formats.percent(values[0], 6)


def _date(field: Field):
    return lambda values, public_id: EMPTY if values[0] is None else formats.day(values[0])


def _moment(field: Field):
    now, zone, write = timezone.now(), timezone.get_current_timezone(), due_element if field.due else time_element
    return lambda values, public_id: write(values[0].astimezone(zone), now) if values[0] else EMPTY


def _yes_no(field: Field):
    return lambda values, public_id: EMPTY if values[0] is None else ("Yes" if values[0] else "No")


def _select(field: Field):
    """Each choice is written once, not once a row."""
    badge = '<span class="badge tone-{}">{}</span>'
    written = {
        choice.value: badge.format(choice.tone, escape(choice.label)) if choice.tone else escape(choice.label)
        for choice in field.choices
    }
    return lambda values, public_id: (written.get(values[0]) or escape(values[0])) if values[0] else EMPTY


def _multi_select(field: Field):
    return lambda values, public_id: escape(", ".join(map(field.choice_label, values[0] or ()))) or EMPTY


def _user(field: Field):
    return lambda values, public_id: escape(values[0] or values[1]) if values[1] else EMPTY


def _link(field: Field):
    path = registry.get(field.target).path

    def cell(values, public_id):
        return f'<a href="/{path}/{values[1]}">{escape(values[0])}</a>' if values[1] else EMPTY

    return cell


_CELLS: dict[FieldType, Callable[[Field], Callable[[Sequence, str], str]]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _clipped,
    FieldType.EMAIL: _mail,
    FieldType.PHONE: _text,
    FieldType.URL: _url,
    FieldType.NUMBER: _number,
    FieldType.PERCENT: _percent,
    FieldType.MONEY: _money,
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
    return field.type in _CELLS and field.rows is None
