"""CSV export of a list: the database writes every column as text, so that PostgreSQL can COPY it directly.

Labels in English, times in UTC, decimal points, and no cell that a spreadsheet would run (crm.lists.formulas).
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, DateTimeField, F, Func, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, NullIf
from django.db.models.lookups import Exact

from audit.record import record
from crm.conditions.compile import Step, Viewer, is_join, is_name, join_prefix, rows, visible_linked, visible_over_joins
from crm.entities import registry
from crm.entities.fields import Choice, Field, FieldType
from crm.entities.schema import Path, UnknownField, schema
from crm.entities.sql import orm_value
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.kit.translation import in_english, speak
from crm.lists.formulas import EscapedFormula, escape
from crm.users.models import Membership, Workspace
from crm.users.visibility import RecordQuerySet, visible

CHUNK = 2000  # rows
SIZE = 1 << 16  # bytes


def export_paths(entity: str, columns: Sequence[str]) -> list[Path]:
    """Return the paths of the named fields, over links too. Raises Invalid for an unknown or to-many field."""
    known = schema(entity)
    try:
        paths = [known.path(name) for name in columns]
    except UnknownField as error:
        raise Invalid(str(error)) from None
    for path in paths:
        if any(field.type is FieldType.MANY for field in path.fields):
            sentence = _("{field} can hold several records and can’t be used as a column.")
            raise Invalid(sentence.format(field=path.label))
    return paths


def header_of(paths: Sequence[Path]) -> list[str]:
    """Return the column names: labels in English, which an import reads in every language."""
    with speak("en"):
        return [path.label for path in paths]


def record_export(entity: str, paths: Sequence[Path], by: Actor) -> None:
    """Record, before the export starts, that `by` exports records of an entity with these fields."""
    rows = Workspace.objects.filter(pk=by.workspace_id)
    with transaction.atomic():
        record("workspace.exported", rows, by=by, note=f"{entity}: {', '.join(path.key for path in paths)}")


def export_csv(
    records: RecordQuerySet,
    paths: Sequence[Path],
    header: Sequence[str],
    by: Actor,
    *,
    ordering: Sequence[Any] = ("pk",),
) -> Iterator[str]:
    """Yield as CSV the records visible to `by`, under `header`, in chunks of some kilobytes, in the order `ordering`.

    A linked record hidden from `by` exports only its name, as on pages. One statement gives one snapshot; memory does
    not grow with the rows.
    """
    yield csv_text([[escape(name) for name in header]])
    columns = {f"text_{index}": EscapedFormula(_text(path, by)) for index, path in enumerate(paths)}
    chosen = records.visible_to(by).order_by(*ordering).annotate(**columns).values_list(*columns)
    yield from _copied(chosen) if connection.vendor == "postgresql" else _written(chosen)


def _copied(chosen: QuerySet) -> Iterator[str]:
    sql, params = chosen.query.sql_with_params()
    # COPY bypasses Django's cursor and its execute wrappers, so they are called here.
    for look in connection.execute_wrappers:
        look(lambda *_: None, sql, params, False, {"connection": connection})
    copying = f"COPY ({sql}) TO STDOUT (FORMAT csv)"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.cursor.copy(copying, params) as copy:
        parts, size = [], 0
        for part in copy:  # one row each
            parts.append(bytes(part))
            size += len(parts[-1])
            if size >= SIZE:
                yield b"".join(parts).decode()
                parts, size = [], 0
        yield b"".join(parts).decode()


def _written(chosen: QuerySet) -> Iterator[str]:
    batch: list[tuple] = []
    for row in chosen.iterator(CHUNK):
        batch.append(row)
        if len(batch) == CHUNK:
            yield csv_text(batch)
            batch = []
    yield csv_text(batch)


def csv_text(rows: Iterable[Sequence[str | None]]) -> str:
    """Return rows of cells as CSV."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _text(path: Path, by: Actor) -> Any:
    *hops, (entity, field) = path.steps()
    rule = None if is_name(hops, entity, field) else Viewer.looking(by).only_seen_by
    return _along([*hops, (entity, field)], by, rule)


def _along(steps: list[Step], by: Actor, rule: Actor | None) -> Any:
    """Return the text at the end of links that each lead to a record visible to `rule` (None: to any)."""
    *hops, (_, field) = steps
    computed = field.expression is not None or field.rows is not None
    joins = None if hops and computed else _joins(hops, rule)
    if joins is None:
        (entity, link), *rest = steps
        found = visible_linked(rows(entity, link), rule).annotate(as_text=_along(rest, by, rule))
        return Subquery(found.values("as_text")[:1])
    text = _field(field, join_prefix(hops), by)
    return Case(When(joins, then=text), output_field=TextField()) if joins else text


def _joins(hops: list[Step], rule: Actor | None) -> Q | None:
    return visible_over_joins(hops, rule) if all(is_join(link) for _, link in hops) else None


def _field(field: Field, prefix: str, by: Actor) -> Any:
    if field.type is FieldType.LINK:
        return _link(field, prefix, by)
    return _WRITERS.get(field.type, _plain)(field, prefix)


def _plain(field: Field, prefix: str) -> Any:
    return Cast(orm_value(field, prefix), TextField())


def _percent(field: Field, prefix: str) -> Any:
    return Func(orm_value(field, prefix) * 100, template="(%(expressions)s) || '%%%%'", output_field=TextField())


def _moment(field: Field, prefix: str) -> Any:
    value = orm_value(field, prefix)
    return InUtc(Cast(value, DateTimeField()) if field.custom else value)


def _yes_no(field: Field, prefix: str) -> Any:
    value = orm_value(field, prefix)
    words = (When(Exact(value, Value(truth)), then=Value(word)) for truth, word in ((True, "Yes"), (False, "No")))
    return Case(*words, output_field=TextField())


def _select(field: Field, prefix: str) -> Any:
    value = orm_value(field, prefix)
    labels = (When(Exact(value, Value(choice.value)), then=Value(in_english(choice.label))) for choice in field.choices)
    return Case(*labels, default=Cast(value, TextField()), output_field=TextField())


def _multi_select(field: Field, prefix: str) -> Any:
    return Labels(orm_value(field, prefix), field.choices)


def _user(field: Field, prefix: str) -> Any:
    if not field.custom:
        return F(f"{prefix}{field.column()}__user__email")
    return Subquery(Membership.objects.filter(pk=orm_value(field, prefix, OuterRef)).values("user__email"))


def _team(field: Field, prefix: str) -> Any:
    return F(f"{prefix}{field.column()}__name")


def _link(field: Field, prefix: str, by: Actor) -> Any:
    target = registry.get(field.target)
    if is_join(field):
        return _named(target, f"{prefix}{field.column()}__", by)
    found = field.rows() if field.rows else target.model.objects.filter(pk=orm_value(field, prefix, OuterRef))
    return Subquery(found.annotate(as_text=_named(target, "", by)).values("as_text")[:1])


def _named(target: registry.Entity, prefix: str, by: Actor) -> Any:
    """Return a record's key for imports: a person's email, because names are shared, otherwise the name."""
    title = Cast(orm_value(target.fields[target.title], prefix), TextField())
    if "email" not in target.fields:
        return title
    keys = [target.fields["email"].column(), "external_id", target.public_id]
    address = Coalesce(*(NullIf(Cast(f"{prefix}{key}", TextField()), Value("", TextField())) for key in keys))
    is_seen = visible(by, prefix)
    return Case(When(is_seen, then=address), default=title, output_field=TextField()) if is_seen else address


_WRITERS: dict[FieldType, Callable[[Field, str], Any]] = {
    FieldType.PERCENT: _percent,
    FieldType.DATETIME: _moment,
    FieldType.YES_NO: _yes_no,
    FieldType.SELECT: _select,
    FieldType.MULTI_SELECT: _multi_select,
    FieldType.USER: _user,
    FieldType.TEAM: _team,
}


class InUtc(Func):
    """A time formatted as 2026-03-31T14:30:00Z."""

    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler, connection, **context):
        template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler, connection, **context):
        template = "strftime('%%%%Y-%%%%m-%%%%dT%%%%H:%%%%M:%%%%SZ', %(expressions)s)"
        return self.as_sql(compiler, connection, template=template, **context)


class Labels(Func):
    """A JSON list of choice values as labels joined by "; "; a label that contains a separator stays a value."""

    arity = 1
    output_field = TextField()

    def __init__(self, values: Any, choices: Sequence[Choice], **extra):
        self.choices = choices
        super().__init__(values, **extra)

    def as_postgresql(self, compiler, connection, **context):
        one = "SELECT string_agg({label}, '; ') FROM jsonb_array_elements_text({values}) AS one(value)"
        return self._build(compiler, f"(CASE jsonb_typeof({{values}}) WHEN 'array' THEN ({one}) END)")

    def as_sqlite(self, compiler, connection, **context):
        return self._build(compiler, "(SELECT group_concat({label}, '; ') FROM json_each({values}) AS one)")

    def _build(self, compiler, template: str):
        values, params = compiler.compile(self.source_expressions[0])
        named = ((choice.value, in_english(choice.label)) for choice in self.choices)
        labels = [part for value, label in named if not set(";,") & set(label) for part in (value, label)]
        cases = "WHEN %s THEN %s " * (len(labels) // 2)
        label = f"CASE one.value {cases}ELSE one.value END" if labels else "one.value"
        before = template.partition("{label}")[0].count("{values}")
        after = template.count("{values}") - before
        return template.format(label=label, values=values), [*params * before, *labels, *params * after]
