"""HTML of a list's rows. Written in Python: a template takes four times as long for fifty rows.

Why: docs/decisions/0026-list-pages-built-for-speed.md
"""

from collections.abc import Sequence
from html import escape
from itertools import accumulate, pairwise

from django.utils.safestring import SafeString, mark_safe

from crm.entities import registry
from crm.kit.translation import gettext as _
from crm.lists.columns import Column, resolve

Parts = list[Sequence]


def table_html(entity: str, found: list[tuple], columns: list[Column], ticked: set[str]) -> SafeString:
    """Return the table rows of a Page's `found`. `ticked`: public ids of rejected records, or "all"."""
    places, kind = _places(columns), registry.get(entity)
    split: list[Parts] = [[row[place] for place in places] for row in found]
    resolve(columns, split)
    classes = [column.css(place) for place, column in enumerate(columns)]
    tags = [f'<td class="{css}">' if css else "<td>" for css in classes]  # not a text
    marks = [_marks(row[1], ticked) for row in found]
    shown, select = zip(found, marks, split, strict=True), _("Select {name}")
    rows = (_row(kind, row[1], mark, parts, columns, tags, select) for row, mark, parts in shown)
    return mark_safe("".join(rows))  # noqa: S308 (each cell escapes what it shows)


def _places(columns: list[Column]) -> list[slice]:
    ends = list(accumulate((len(column.sources) for column in columns), initial=3))
    return [slice(*pair) for pair in pairwise(ends)]


def _marks(public_id: str, ticked: set[str]) -> tuple[str, str]:
    if public_id in ticked:
        return ' class="is-refused"', " checked"
    return "", " checked" if "all" in ticked else ""


def _row(
    kind: registry.Entity,
    public_id: str,
    marks: tuple[str, str],
    parts: Parts,
    columns: list[Column],
    tags: list[str],
    select: str,
) -> str:
    refused, checked = marks
    label = escape(select.format(name=parts[0][0]))
    cells = [
        f"{tag}{column.cell(part, public_id)}</td>" for tag, column, part in zip(tags, columns, parts, strict=True)
    ]
    return (
        f'<tr data-row data-href="/{kind.path}/{public_id}"{refused}><td class="check">'
        f'<input type="checkbox" form="bulk" name="selected" value="{public_id}" data-select '
        f'aria-label="{label}"{checked}></td>'
        f"{''.join(cells)}</tr>\n"  # not a text
    )
