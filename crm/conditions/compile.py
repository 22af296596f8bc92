"""Compiler from a checked condition to one SQL expression.

Each leaf is written so that an unknown (NULL) counts as false; a negated leaf is that leaf IS NOT TRUE. Above leaves
there are only AND, OR, EXISTS and counting, so SQL's third truth value never shows.

Why: docs/decisions/0023-one-condition-language.md
"""

import operator as op
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.lookups import (
    Contains,
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
    StartsWith,
)

from crm.conditions.operands import NEGATIONS
from crm.conditions.relative_dates import bounds
from crm.conditions.tree import All, AnyRow, AtLeast, Either, Kind, Leaf, Node, Not, Operand
from crm.entities import registry
from crm.entities.fields import NUMBERS, TEXTS, TIMES, Field, FieldType
from crm.entities.registry import Entity
from crm.entities.schema import Path
from crm.entities.sql import IsNotTrue, ListHas, ListLength, Total, orm_value
from crm.entities.text import Fold
from crm.entities.values import public_id_in
from crm.kit.actor import Actor, Role
from crm.kit.text import fold, search_key
from crm.users.visibility import RecordQuerySet, visible

LONGEST_KEY = 200  # characters of a name's key
LOOKUPS = {"=": Exact, "<": LessThan, "<=": LessThanOrEqual, ">": GreaterThan, ">=": GreaterThanOrEqual}
Step = tuple[Entity, Field]
Test = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user that `me` and `my team` refer to; None for no user, who owns nothing.

    `only_seen_by`: the user who must not learn anything about linked records hidden from them, which could be guessed
    letter by letter. None for a rule's own evaluation: guards and definitions see all records.
    """

    member_id: int | None = None
    team_id: int | None = None
    only_seen_by: Actor | None = None

    @classmethod
    def looking(cls, by: Actor) -> "Viewer":
        """Return the viewer for an actor who filters a list."""
        return cls(by.member_id, by.team_id, None if by.is_at_least(Role.MANAGER) else by)


@dataclass(frozen=True, slots=True)
class Context:
    """The inputs of an evaluation: viewer, time and zone."""

    viewer: Viewer
    now: datetime
    tz: ZoneInfo


def predicate(node: Node, context: Context, *, negated: bool = False) -> Any:
    """Return an expression that is true exactly for matching records (`negated`: for all others)."""
    match node:
        case All(parts):
            return _joined(parts, context, op.or_ if negated else op.and_, negated)
        case Either(parts):
            return _joined(parts, context, op.and_ if negated else op.or_, negated)
        case Not(part):
            return predicate(part, context, negated=not negated)
        case AtLeast(count, parts):
            return _counted(parts, context, len(parts) - count + 1 if negated else count, negated)
        case AnyRow(path, part):
            found = through(list(path.steps()), lambda prefix: predicate(part, context), context, plain=False)
            return ~found if negated else found
    return _leaf(node, context, negated)


def _joined(parts: Iterable[Node], context: Context, join: Callable, negated: bool) -> Q:
    return reduce(join, (Q(predicate(part, context, negated=negated)) for part in parts), Q())


def _counted(parts: Iterable[Node], context: Context, count: int, negated: bool) -> Any:
    ones = [
        Case(When(Q(predicate(part, context, negated=negated)), then=1), default=0, output_field=IntegerField())
        for part in parts
    ]
    return GreaterThanOrEqual(Total(*ones), count)


def _leaf(leaf: Leaf, context: Context, negated: bool) -> Any:
    if leaf.operator in NEGATIONS:
        leaf, negated = replace(leaf, operator=NEGATIONS[leaf.operator]), not negated
    if leaf.path.field.type is FieldType.LINK and leaf.operands:
        return predicate(by_title(leaf), context, negated=negated)
    found = matching(leaf, context)
    if isinstance(found, Exists):
        return ~found if negated else found
    return IsNotTrue(found) if negated else found


def by_title(leaf: Leaf) -> Node:
    """Rewrite a comparison with a linked record as one with its title, or its public id where one is given."""
    entity = registry.get(leaf.path.field.target)
    named, parts = [], []
    for operand in leaf.operands:
        if public_id := public_id_in(entity, operand.value):
            parts.append(Leaf(extended(leaf.path, _id_field(entity)), "=", (Operand(Kind.VALUE, public_id),)))
        else:
            named.append(operand)
    if named:
        parts.append(Leaf(extended(leaf.path, entity.fields[entity.title]), leaf.operator, tuple(named)))
    return Either(tuple(parts))


def _id_field(entity: Entity) -> Field:
    return Field("public_id", "Id", FieldType.SELECT, path=entity.public_id)


def extended(path: Path, field: Field) -> Path:
    return Path(path.entity, (*path.fields, field))


def matching(leaf: Leaf, context: Context) -> Any:
    """Return the expression of a leaf without negation; NULL counts as false."""
    *hops, (entity, field) = leaf.path.steps()
    if stands_for_rows(field):
        return through([*hops, (entity, field)], lambda prefix: Q(), context, plain=False)
    by = None if is_name(hops, entity, field) else context.viewer.only_seen_by
    joins = visible_over_joins(hops, by) if field.expression is None else None
    return through(
        hops,
        lambda prefix: _compared(field, leaf, prefix, context),
        context,
        plain=joins is not None,
        also=joins,
    )


def _compared(field: Field, leaf: Leaf, prefix: str, context: Context) -> Any:
    """Return the test of the field at the end of a path; names compare by the key used for matching and sorting."""
    if field.folded and leaf.operator != "is not empty":  # not a text
        keys = [search_key(operand.value)[:LONGEST_KEY] for operand in leaf.operands]
        return _text_test(leaf.operator, keys, F(prefix + field.folded))
    return test(field, leaf.operator, leaf.operands, orm_value(field, prefix), context)


def is_name(hops: list[Step], entity: Entity, field: Field) -> bool:
    """Return whether the path reads a linked record's name or id, visible to all viewers of the linking record."""
    return len(hops) == 1 and field.column() in (entity.fields[entity.title].column(), entity.public_id)


def through(steps: list[Step], test: Test, context: Context, *, plain: bool, also: Q | None = None) -> Any:
    """Return `test(prefix)` at the end of the links: over joins if links and value are columns, otherwise EXISTS.

    `also`: a condition on the joined rows.
    """
    if not steps or (plain and all(is_join(field) for _, field in steps)):
        return Q(also, test(join_prefix(steps))) if also else test(join_prefix(steps))
    (entity, field), *rest = steps
    found = visible_linked(rows(entity, field), context.viewer.only_seen_by)
    return Exists(found.filter(through(rest, test, context, plain=plain)))


def visible_linked(found: QuerySet, by: Actor | None) -> QuerySet:
    """Filter the rows at the end of a link to those visible to `by`; None, for a rule, keeps all."""
    return found.visible_to(by) if by and hasattr(found, "visible_to") else found


def visible_over_joins(steps: list[Step], by: Actor | None) -> Q | None:
    """Return the condition, over joins, that `by` sees the record at the end of each link; None if it needs a subquery.

    Joins are key lookups. For a counted EXISTS, PostgreSQL built a hash of all visible rows.
    """
    found, prefix = Q(), ""
    if by is None:
        return found
    for _, field in steps:
        rule = getattr(registry.get(field.target).model.objects.all(), "visible_to", None)
        if not is_join(field) or (rule and rule.__func__ is not RecordQuerySet.visible_to):
            return None
        prefix += f"{field.column()}__"
        found &= Q(visible(by, prefix), **{f"{prefix}pk__isnull": False}) if rule else Q()
    return found


def join_prefix(steps: Iterable[Step]) -> str:
    """Return the ORM path over these links."""
    return "".join(f"{field.column()}__" for _, field in steps)


def is_join(field: Field) -> bool:
    """Return whether a link is a foreign key (or a path of them) of the record itself."""
    return field.type is FieldType.LINK and not field.custom and field.rows is None and field.expression is None


def stands_for_rows(field: Field) -> bool:
    """Return whether a field refers to related rows instead of a value of the record."""
    return field.type is FieldType.MANY or field.rows is not None


def rows(entity: Entity, field: Field) -> QuerySet:
    """Return the rows that a link leads to from the outer query's record. To-many links omit rows in the trash."""
    if field.rows is not None:
        return field.rows()
    target = registry.get(field.target).model.objects.all()
    if field.type is FieldType.MANY:
        live = target.live() if hasattr(target, "live") else target
        return live.filter(**{_way_back(entity, field): OuterRef("pk")})
    return target.filter(pk=orm_value(field, ref=OuterRef))


def _way_back(entity: Entity, field: Field) -> str:
    """Return the ORM path from a row of a to-many field to the record."""
    model, names = entity.model, []
    for name in field.column().split("__"):
        relation = model._meta.get_field(name)
        names.append(relation.remote_field.name)
        model = relation.related_model
    return "__".join(reversed(names))


def test(field: Field, operator: str, operands: tuple[Operand, ...], value: Any, context: Context) -> Any:
    """Return `value operator operand` for an operator without negation; NULL counts as false."""
    if operator == "is not empty":  # not a text
        return has_value(field, value)
    if field.type in TIMES:
        return _any(_time_test(field, operator, operand, value, context) for operand in operands)
    if field.type in NUMBERS:
        return _any(_number_test(operator, operand.value, value) for operand in operands)
    if field.type in TEXTS:
        return _text_test(operator, [fold(operand.value) for operand in operands], Fold(value))
    if field.type is FieldType.MULTI_SELECT:
        return _any(ListHas(value, operand.value) for operand in operands)
    values = [_meant(operand, context.viewer) for operand in operands]
    return _one_of(value, [each for one in values for each in field.values_like(one)] if field.choices else values)


def has_value(field: Field, value: Any) -> Any:
    """Return the test for a value: neither NULL nor '' nor an empty list."""
    if field.type is FieldType.MULTI_SELECT:
        return GreaterThan(ListLength(value), 0)
    if field.type in TEXTS or field.type is FieldType.SELECT:
        return ~Q(Exact(value, Value("")))
    return IsNull(value, False)


def _any(tests: Iterable[Any]) -> Q:
    return reduce(op.or_, map(Q, tests))


def _time_test(field: Field, operator: str, operand: Operand, value: Any, context: Context) -> Q:
    symbol = "=" if operator == "in" else operator
    limits = bounds(field.type, symbol, operand, context.now, context.tz)
    return reduce(op.and_, (Q(LOOKUPS[sign](value, limit)) for sign, limit in limits))


def _number_test(operator: str, number: Decimal, value: Any) -> Any:
    # A typed Value: an integer field would cut 2.5 to 2, and SQLite compares a computed number with text as unequal.
    limit = Value(int(number) if number == number.to_integral_value() else number)
    return LOOKUPS["=" if operator == "in" else operator](value, limit)


def _text_test(operator: str, texts: list[str], value: Any) -> Any:
    match operator:
        case "contains":
            return Contains(value, texts[0])
        case "starts with":  # not a text
            return StartsWith(value, texts[0])
    return _one_of(value, texts)


def _one_of(value: Any, values: list[Any]) -> Any:
    known = [each for each in values if each is not None]
    if len(known) > 1:
        return In(value, known)
    # If nothing is known, compare with NULL: never true and, unlike an empty IN, never cut out of the query.
    return Exact(value, Value(known[0] if known else None))


def _meant(operand: Operand, viewer: Viewer) -> Any:
    match operand.kind:
        case Kind.ME:
            return viewer.member_id
        case Kind.MY_TEAM:
            return viewer.team_id
    return operand.value
