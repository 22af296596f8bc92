"""Unmet criteria as phrases: “No email”, “Score is below 70”, “No activity for 14 days”."""

from crm.conditions.chips import span, spoken, typed_value
from crm.conditions.tree import AnyRow, Either, Kind, Leaf, Node, Operand
from crm.conditions.write import LabelWriter
from crm.entities.fields import Field, FieldType
from crm.entities.schema import Path, schema
from crm.kit.translation import active_language, gettext
from crm.kit.translation import gettext_lazy as _

# These phrases are also true of a record without a value: an empty field doesn't meet a criterion either.
PHRASES = {
    "is not empty": _("No {field}"),  # not a text
    "is empty": _("{field} isn’t empty"),  # not a text
    "=": _("{field} isn’t {value}"),
    "!=": _("{field} is {value}"),
    "in": _("{field} is none of {value}"),
    "not in": _("{field} is one of {value}"),  # not a text
    "<": _("{field} isn’t below {value}"),
    "<=": _("{field} is above {value}"),
    ">": _("{field} isn’t above {value}"),
    ">=": _("{field} is below {value}"),
    "contains": _("{field} doesn’t contain “{value}”"),
    "starts with": _("{field} doesn’t start with “{value}”"),  # not a text
}
ON_A_DAY = {
    "<": _("No {field} before {value}"),
    "<=": _("No {field} on or before {value}"),
    ">": _("No {field} after {value}"),
    ">=": _("No {field} on or after {value}"),
}
AGAINST_TODAY = {
    "<": _("{field} isn’t in the past"),
    "<=": _("{field} isn’t in the past"),
    ">": _("No upcoming {field}"),
    ">=": _("No upcoming {field}"),
}
AGO = {
    "<": _("No {field} in the last {span}"),
    "<=": _("No {field} in the last {span}"),
    ">": _("{field} isn’t more than {span} ago"),
    ">=": _("{field} isn’t at least {span} ago"),
}
FROM_NOW = {
    "<": _("No {field} in the next {span}"),
    "<=": _("No {field} in the next {span}"),
    ">": _("{field} isn’t more than {span} away"),
    ">=": _("{field} isn’t at least {span} away"),
}
MINE = {"=": _("{field} isn’t you"), "!=": _("{field} is you")}
MY_TEAM = {"=": _("{field} isn’t your team"), "!=": _("{field} is your team")}
PEOPLE = {Kind.ME: MINE, Kind.MY_TEAM: MY_TEAM}
RELATIVE = {Kind.AGO: AGO, Kind.FROM_NOW: FROM_NOW, Kind.TODAY: AGAINST_TODAY, Kind.NOW: AGAINST_TODAY}
# Fields with the latest of many: their own label would read “No last activity in the last 14 days”.
LATEST = {
    "last_activity": _("No activity for {span}"),
    "last_engagement": _("No engagement for {span}"),
}


def unmet(node: Node, writer: LabelWriter) -> str:
    """Return why a record does not meet `node`: a phrase, or the condition by label if there is no phrase."""
    match node:
        case Leaf(path) if not any(field.type is FieldType.MANY for field in path.fields[:-1]):
            return _comparison(node, writer)
        case Either(parts):
            return ", ".join(unmet(part, writer) for part in parts)
        case AnyRow(path, part):
            return _filled(gettext("No {field} where {condition}"), path, condition=writer.text(part))
    return writer.text(node)


def _comparison(leaf: Leaf, writer: LabelWriter) -> str:
    field, operator = leaf.path.field, leaf.operator
    first = leaf.operands[0] if leaf.operands else None
    if field.type is FieldType.YES_NO and first and isinstance(first.value, bool):
        holds = first.value == (operator == "!=")
        return _filled(gettext("{field}: yes") if holds else gettext("{field}: no"), leaf.path)
    value = ", ".join(_value(field, operand, writer) for operand in leaf.operands)
    return _filled(str(_phrase(leaf, first)), leaf.path, value=value, span=_span(first))


def _phrase(leaf: Leaf, first: Operand | None) -> str:
    field, operator = leaf.path.field, leaf.operator
    if first and first.kind is Kind.AGO and operator in ("<", "<=") and field.key in LATEST:
        return LATEST[field.key]
    if first and first.kind in PEOPLE and operator in MINE:
        return PEOPLE[first.kind][operator]
    if first and field.type in (FieldType.DATE, FieldType.DATETIME):
        return RELATIVE.get(first.kind, ON_A_DAY).get(operator, PHRASES[operator])
    return PHRASES[operator]


def _filled(text: str, path: Path, **values: str) -> str:
    """Fill in `text`; the field's label is capitalized if the sentence begins with it."""
    begins = text.startswith("{field}")
    return text.format(field=" / ".join(_name(field, begins) for field in _shown(path)), **values)


def _shown(path: Path) -> tuple[Field, ...]:
    """Return the fields that name the end of a path: without links if the record has no such field of its own."""
    return path.fields if path.field.key in schema(path.entity).fields else path.fields[-1:]


def _name(field: Field, begins: bool) -> str:
    """Return the label, lowercased inside a phrase except for custom names, abbreviations and in German."""
    label = str(field.label)
    if begins or field.custom or label[1:2].isupper() or (active_language() or "").startswith("de"):
        return label
    return label[:1].lower() + label[1:]


def _value(field: Field, operand: Operand, writer: LabelWriter) -> str:
    if operand.kind is Kind.ME:
        return gettext("you")
    if operand.kind is Kind.MY_TEAM:
        return gettext("your team")
    return typed_value(field, operand, writer) if operand.kind is Kind.VALUE else writer.value(field, operand)


def _span(operand: Operand | None) -> str:
    """Return “14 days” for “14 days ago”; '' for any other operand."""
    if operand is None or operand.kind not in (Kind.AGO, Kind.FROM_NOW):
        return ""
    return spoken(span, *operand.value)
