"""Columns of a list: the database columns each needs, and how its cell is written.

Cells are Python functions of the field's type: at 50 rows an included template per cell takes ten times as long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from django.db.models import F
from django.utils import timezone

from crm.entities import registry
from crm.entities.addresses import address_html, list_html
from crm.entities.fields import Field, FieldType
from crm.entities.people import members
from crm.entities.sql import orm_value
from crm.kit import formats
from crm.kit.addresses import Address
from crm.kit.scope import workspace
from crm.kit.templatetags.frame import due_element, initials, time_element
from crm.kit.translation import gettext as _


@dataclass(frozen=True)
class Column:
    """A field shown in a list. `sources`: alias → expression to select; `cell(values, public_id)` returns its HTML.

    Cells escape by html.escape: at four hundred cells a page, format_html() would double its cost.
    """

    field: Field
    sources: dict[str, Any]
    cell: Callable[[Sequence, str], str]

    @property
    def numeric(self) -> bool:
        """Whether the cell is right-aligned with tabular figures."""
        return self.field.type in (FieldType.NUMBER, FieldType.PERCENT, FieldType.MONEY, FieldType.DATETIME)

    def css(self, place: int) -> str:
        """Return the cell's class: the name leads, figures align, the fourth and later columns are hidden on phones."""
        return "name" if place == 0 else " ".join(["num"] * self.numeric + ["low"] * (place > 3))


def column(entity: registry.Entity, field: Field) -> Column:
    """Return the column of `field`. Raises KeyError for a to-many field."""
    alias = f"column_{field.key}"
    if field.key == entity.title:
        return Column(field, {alias: F(field.column())}, _title(entity))
    if field.custom and field.type in (FieldType.USER, FieldType.LINK):
        # Primary keys, replaced by names in resolve(), once per page.
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
    if not entity.has_initials:
        return lambda values, public_id: (
            f'<a class="primary" href="/{entity.path}/{public_id}">{escape(values[0])}</a>'  # not a text
        )

    def cell(values, public_id):
        return (
            f'<a class="who" href="/{entity.path}/{public_id}"><span class="avatar" aria-hidden="true">'
            f'{escape(initials(values[0]))}</span><span class="primary">{escape(values[0])}</span></a>'  # not a text
        )

    return cell


def resolve(columns: list[Column], rows: list[list]) -> None:
    """Replace the primary keys in custom people and link fields by names."""
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


def _empty() -> str:
    """Return the cell of an empty value; called once per column."""
    label = escape(_("empty"))
    return f'<span class="muted is-empty" aria-label="{label}">—</span>'  # not a text


def _text(field: Field):
    empty = _empty()
    return lambda values, public_id: escape(values[0]) if values[0] else empty


def _clipped(field: Field):
    empty = _empty()
    if field.items:
        return lambda values, public_id: list_html(field, values[0]) if values[0] else empty

    def cell(values, public_id):
        text = values[0] or ""
        return escape(text[:80] + "…" if len(text) > 80 else text) if text else empty

    return cell


def _address(field: Field):
    empty = _empty()
    return lambda values, public_id: address_html(Address(values[0]), field.type) if values[0] else empty


def _url(field: Field):
    empty = _empty()

    def cell(values, public_id):
        url = values[0] or ""
        if not url.startswith(("http://", "https://")):
            return escape(url) if url else empty
        shown = escape(url.split("://", 1)[1].rstrip("/"))
        return f'<a href="{escape(url)}" rel="noopener noreferrer">{shown}</a>'  # not a text

    return cell


def _number(field: Field):
    empty = _empty()
    return lambda values, public_id: empty if values[0] is None else formats.number(values[0], field.decimals)


def _money(field: Field):
    empty = _empty()
    if not field.currency:  # a custom one
        currency = workspace().currency
        return lambda values, public_id: empty if values[0] is None else escape(formats.money(values[0], currency))
    return lambda values, public_id: empty if values[0] is None else escape(formats.money(values[0], values[1]))


def _percent(field: Field):
    empty = _empty()
    return lambda values, public_id: empty if values[0] is None else formats.percent(values[0], 6)


def _date(field: Field):
    empty = _empty()
    return lambda values, public_id: empty if values[0] is None else formats.day(values[0])


def _moment(field: Field):
    now, zone, write = timezone.now(), timezone.get_current_timezone(), due_element if field.due else time_element
    empty = _empty()
    return lambda values, public_id: write(values[0].astimezone(zone), now) if values[0] else empty


def _yes_no(field: Field):
    written = {None: _empty(), True: _("Yes"), False: _("No")}
    return lambda values, public_id: written[values[0]]


def _select(field: Field):
    """Return a cell that renders each choice once, not once per row."""
    badge, empty = '<span class="badge tone-{}">{}</span>', _empty()  # not a text
    written = {
        choice.value: badge.format(choice.tone, escape(choice.label)) if choice.tone else escape(choice.label)
        for choice in field.choices
    }
    return lambda values, public_id: (written.get(values[0]) or escape(values[0])) if values[0] else empty


def _multi_select(field: Field):
    empty = _empty()
    return lambda values, public_id: escape(", ".join(map(field.choice_label, values[0] or ()))) or empty


def _user(field: Field):
    empty = _empty()
    return lambda values, public_id: escape(values[0] or values[1]) if values[1] else empty


def _link(field: Field):
    path, empty = registry.get(field.target).path, _empty()

    def cell(values, public_id):
        return f'<a href="/{path}/{values[1]}">{escape(values[0])}</a>' if values[1] else empty

    return cell


_CELLS: dict[FieldType, Callable[[Field], Callable[[Sequence, str], str]]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _clipped,
    FieldType.EMAIL: _address,
    FieldType.PHONE: _address,
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
