"""Explanations of why a record matches: each leaf of a condition is a column of one SELECT."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    F,
    Func,
    IntegerField,
    Model,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from crm.conditions.chips import SentenceWriter
from crm.conditions.compile import (
    Context,
    Step,
    Viewer,
    extended,
    is_join,
    is_name,
    join_prefix,
    predicate,
    rows,
    visible_linked,
)
from crm.conditions.tree import All, AnyRow, AtLeast, Either, Leaf, Node, Not, children, leaves
from crm.entities import registry
from crm.entities.fields import Field, FieldType
from crm.entities.schema import Path
from crm.entities.sql import orm_value
from crm.entities.values import zone
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace
from crm.kit.sql import array_param

Order = Callable[[int], Any]


class Parsed(Protocol):
    """A Condition, which imports this module."""

    root: Node

    @property
    def key_text(self) -> str: ...


@dataclass(frozen=True)
class LeafResult:
    """One line of an explanation: ✓ or ✗, by label, with the record's value.

    `group` is '' for a comparison; "and", "or", "not" and "at least" head the lines that follow one `depth` deeper, and
    the value of "at least" is how many of those hold. "any" is one line with the number of matching rows as value. The
    record matches if every line of depth 0 is ok. `field` types the value of a comparison.
    """

    text: str
    ok: bool
    value: Any
    depth: int = 0
    group: str = ""
    field: Field | None = None


def explain_roots(
    roots: Mapping[str, Node], queryset: QuerySet, pk: Any, viewer: Viewer, now: datetime
) -> dict[str, list[LeafResult]]:
    """Explain several conditions on one record in one SELECT. Raises the model's DoesNotExist."""
    row = _asked(roots, queryset.filter(pk=pk), Context(viewer, now, zone())).first()
    if row is None:
        raise queryset.model.DoesNotExist(f"No {queryset.model._meta.verbose_name} {pk} among these.")  # not a text
    return _explained(roots, row)


def explain_record(conditions: Mapping[str, Parsed], record: Model, viewer: Viewer) -> dict[str, list[LeafResult]]:
    """Explain several conditions on a record's current values, without a visibility check, in cached SQL."""
    model, roots = type(record), {key: each.root for key, each in conditions.items()}

    def build(pk: int, member: int | None, team: int | None) -> QuerySet:
        context = Context(replace(viewer, member_id=member, team_id=team), clock.now(), zone())
        return _asked(roots, model._default_manager.filter(pk=pk), context)

    space, texts = workspace(), tuple((key, each.key_text) for key, each in conditions.items())
    key = ("explain", model, space.pk, space.schema_version, texts)
    [row] = run_cached(key, build, plan_once=True, pk=record.pk, member=viewer.member_id, team=viewer.team_id)
    return _explained(roots, row)


def _asked(roots: Mapping[str, Node], rows: QuerySet, context: Context) -> QuerySet:
    columns = [column for root in roots.values() for leaf in leaves(root) for column in _columns(leaf, context)]
    return rows.order_by().values_list("pk", *columns)


def _explained(roots: Mapping[str, Node], row: tuple) -> dict[str, list[LeafResult]]:
    cells, writer = iter(row[1:]), SentenceWriter()
    return {key: _top(root, cells, writer) for key, root in roots.items()}


def failing(conditions: Mapping[str, Parsed], model: type[Any], ids: Sequence[int], viewer: Viewer) -> dict[int, str]:
    """Map the pk of each failing record to the key of its first false condition, in one cached SELECT."""
    roots = {key: each.root for key, each in conditions.items() if each.root != All(())}
    if not roots:
        return {}

    def build(ids: str, member: int | None, team: int | None) -> QuerySet:
        context = Context(replace(viewer, member_id=member, team_id=team), clock.now(), zone())
        whens = [When(Q(predicate(root, context, negated=True)), then=Value(key)) for key, root in roots.items()]
        failed = Case(*whens, default=Value(None), output_field=CharField())
        rows = model._default_manager.filter(pk__any_of=ids).order_by().annotate(first_failing=failed)
        return rows.filter(first_failing__isnull=False).values_list("pk", "first_failing")

    space, few = workspace(), len(ids) == 1
    texts = tuple((key, conditions[key].key_text) for key in roots)
    key = ("first failing", model, space.pk, space.schema_version, texts, few)  # not a text
    who = {"member": viewer.member_id, "team": viewer.team_id}
    return dict(run_cached(key, build, plan_once=few, ids=array_param(ids), **who))


def _columns(leaf: Leaf | AnyRow, context: Context) -> tuple[Any, Any]:
    holds = Case(When(Q(predicate(leaf, context)), then=Value(True)), default=Value(False), output_field=BooleanField())
    return holds, (_matching_rows(leaf, context) if isinstance(leaf, AnyRow) else _value(leaf, context))


def _matching_rows(leaf: AnyRow, context: Context) -> Any:
    *hops, (entity, field) = leaf.path.steps()

    def counted(prefix: str) -> Any:
        found = visible_linked(rows(entity, field), context.viewer.only_seen_by)
        found = found.filter(predicate(leaf.part, context)).order_by()
        # A plain function call, not Count(): an aggregate would group the subquery by its primary key.
        return Subquery(found.values_list(Func(F("pk"), function="COUNT", output_field=IntegerField())))

    return _shown(hops, counted, plain=False, by=context.viewer.only_seen_by)


def _value(leaf: Leaf, context: Context) -> Any:
    path = _shown_path(leaf.path)
    *hops, (entity, field) = path.steps()
    if field.type is FieldType.MANY:
        return Value(None, output_field=CharField())
    by = None if is_name(hops, entity, field) else context.viewer.only_seen_by
    plain = field.expression is None and by is None
    return _shown(hops, lambda prefix: orm_value(field, prefix), plain=plain, best=_best(leaf, context), by=by)


def _shown_path(path: Path) -> Path:
    if path.field.type is not FieldType.LINK:
        return path
    entity = registry.get(path.field.target)
    return extended(path, entity.fields[entity.title])


def _best(leaf: Leaf, context: Context) -> Order:
    """Return an ordering that puts a row satisfying the leaf first, seen from `depth` links along the path."""

    def order(depth: int) -> Any:
        fields = leaf.path.fields
        entity = fields[depth - 1].target
        if depth == len(fields):
            return F("pk")
        there = Leaf(Path(entity, fields[depth:]), leaf.operator, leaf.operands)
        return Case(When(Q(predicate(there, context)), then=0), default=1, output_field=IntegerField())

    return order


def _any_order(depth: int) -> Any:
    return F("pk")


def _shown(
    steps: list[Step],
    read: Callable[[str], Any],
    *,
    plain: bool,
    best: Order = _any_order,
    by: Actor | None = None,
    depth: int = 1,
) -> Any:
    """Return `read`'s value at the end of the links, of the best of several rows. `by` limits it to rows they see."""
    if not steps or (plain and all(is_join(field) for _, field in steps)):
        return read(join_prefix(steps))
    (entity, field), *rest = steps
    found = visible_linked(rows(entity, field), by).order_by(best(depth), "pk")
    return Subquery(found.values_list(_shown(rest, read, plain=plain, best=best, by=by, depth=depth + 1))[:1])


def _top(root: Node, cells: Iterator, writer: SentenceWriter) -> list[LeafResult]:
    parts = root.parts if isinstance(root, All) else (root,)
    return [line for part in parts for line in _lines(part, cells, writer, 0)]


def _lines(node: Node, cells: Iterator, writer: SentenceWriter, depth: int) -> list[LeafResult]:
    if isinstance(node, AnyRow):
        return [LeafResult(writer.text(node), bool(next(cells)), next(cells), depth, "any")]
    if isinstance(node, Leaf):
        field = _shown_path(node.path).field
        return [LeafResult(writer.text(node), bool(next(cells)), next(cells), depth, field=field)]
    below = [_lines(part, cells, writer, depth + 1) for part in children(node)]
    held = sum(lines[0].ok for lines in below)
    group, ok = _group(node, held)
    value = held if isinstance(node, AtLeast) else None
    return [LeafResult(writer.text(node), ok, value, depth, group), *(line for lines in below for line in lines)]


def _group(node: Node, held: int) -> tuple[str, bool]:
    """Return a group's name, and whether it is met if `held` of its parts hold."""
    match node:
        case All(parts):
            return "and", held == len(parts)
        case Either():
            return "or", held > 0
        case AtLeast(count):
            return "at least", held >= count  # not a text
        case Not():
            return "not", held == 0
    raise TypeError(f"{node!r} is no group.")
