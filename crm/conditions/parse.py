"""Parser from text to a checked condition."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.operands import looked_up, operators, read_operand
from crm.conditions.tree import All, AnyRow, AtLeast, Either, Kind, Leaf, Node, Not, Operand, leaves
from crm.entities.fields import Field, FieldType
from crm.entities.schema import Path, Schema, UnknownField, nearest, schema
from crm.entities.values import NoSuch
from crm.kit import formats
from crm.kit.scope import workspace
from crm.kit.translation import active_language, gettext
from crm.kit.translation import gettext_lazy as _

MAX_LENGTH = 4_000
MAX_DEPTH = 10  # of groups and of links inside them: SQLite's parser has a stack of 100
MAX_LINKS = 4  # per path
MAX_JOINS = 30  # in all paths together; SQLite joins 64 tables at most
MAX_LEAVES = 100  # comparisons
MAX_MANY = 10  # comparisons over to-many links
MAX_MANY_DEPTH = 2  # nesting of such links: each level multiplies the rows read
MAX_KEPT = 4_096

Branch = Any  # a lark Tree: its type can't tell tokens from subtrees, only the grammar can

_lark = Lark(
    FilePath(__file__).with_name("grammar.lark").read_text(),
    parser="lalr",
    lexer="contextual",
    propagate_positions=True,
    maybe_placeholders=False,
)
_kept: dict[tuple, Condition] = {}


def parse(text: str, entity: str, *, people: bool = True) -> Condition:
    """Parse `text` into a condition on an entity of the workspace in scope; empty text matches all records.

    `people=False` rejects `me` and `my team`, for conditions evaluated without a viewer (DESIGN 1.6). Raises
    ConditionError with the word, its position and the nearest valid one. Cached by schema_version and time zone.
    """
    current = workspace()
    key = (current.pk, current.schema_version, current.timezone, active_language(), entity, people, text)
    known = _kept.get(key)
    if known is not None:
        return known
    reader = _Reader(people)
    condition = Condition(entity, reader.node(_tree(text), schema(entity)))
    _check_joins(condition)
    _check_cost(condition)
    if reader.lasting:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        _kept[key] = condition
    return condition


def in_words(text: str, entity: str) -> str:
    """Return a stored condition by label, or as stored if one of its fields no longer exists."""
    try:
        return parse(text, entity).label_text
    except ConditionError:
        return text


def sentence_of(text: str, entity: str) -> str:
    """Return a stored condition as people read it, or as stored if one of its fields no longer exists."""
    try:
        return parse(text, entity).sentence
    except ConditionError:
        return text


def sentences_of(text: str, entity: str) -> list[str]:
    """Return the parts of a stored condition that must all hold, as people read them; [] of an empty one."""
    try:
        return [part.text for part in parse(text, entity).chips()]
    except ConditionError:
        return [text]


def _tree(text: str) -> Branch:
    _check_characters(text)
    try:
        return _lark.parse(text)
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None


def _check_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        sentence = gettext("Queries can be up to {count} characters.").format(count=formats.number(MAX_LENGTH))
        raise ConditionError(sentence, position=MAX_LENGTH)
    for position, ch in enumerate(text):
        if unicodedata.category(ch) in ("Cc", "Cs") and ch not in "\t\n\r":
            sentence = gettext("Invalid character at position {position}.").format(position=position + 1)
            raise ConditionError(sentence, word=ch, position=position)


def _check_joins(condition: Condition) -> None:
    links = {path.rpartition(".")[0] for path in condition.fields()}
    joins = {tuple(link.split(".")[:depth]) for link in links for depth in range(1, link.count(".") + 2) if link}
    if len(joins) > MAX_JOINS:
        raise ConditionError(gettext("Queries can follow up to {count} different links.").format(count=MAX_JOINS))


def _check_cost(condition: Condition) -> None:
    depths = list(_many_depths(condition.root))
    if len(depths) > MAX_LEAVES:
        sentence = gettext("This query has {count} comparisons. The limit is {limit}.")
        raise ConditionError(sentence.format(count=formats.number(len(depths)), limit=MAX_LEAVES))
    if max(depths, default=0) > MAX_MANY_DEPTH:
        sentence = gettext(
            "This query nests related lists {depth} levels deep. The limit is {limit}. "
            "Start from the inner records instead."
        )
        raise ConditionError(sentence.format(depth=max(depths), limit=MAX_MANY_DEPTH))
    if (count := sum(map(bool, depths))) > MAX_MANY:
        sentence = gettext(
            "This query looks at related lists {count} times. The limit is {limit}. Remove some of these comparisons."
        )
        raise ConditionError(sentence.format(count=count, limit=MAX_MANY))


def _many_depths(node: Node, above: int = 0) -> Iterator[int]:
    """Yield the number of to-many links above each comparison and `any` group, 0 where it adds none."""
    for leaf in leaves(node):
        depth = above + sum(field.type is FieldType.MANY for field in leaf.path.fields)
        yield depth if depth > above else 0
        if isinstance(leaf, AnyRow):
            yield from _many_depths(leaf.part, depth)


class _Reader:
    """Reader of the grammar's tree, top down, because names inside `any … ( )` belong to another entity."""

    def __init__(self, people: bool):
        self.people = people
        self.lasting = True  # no lookup whose result can change while the schema stays the same

    def node(self, tree: Branch, schema: Schema, depth: int = 0) -> Node:
        _check_depth(depth, tree)
        return getattr(self, f"_{tree.data}")(tree, schema, depth + 1)

    def _start(self, tree: Branch, schema: Schema, depth: int) -> Node:
        return self.node(tree.children[0], schema, depth) if tree.children else All(())

    def _either(self, tree: Branch, schema: Schema, depth: int) -> Node:
        parts = [self.node(child, schema, depth) for child in tree.children]
        return Either(tuple(flat for part in parts for flat in (part.parts if isinstance(part, Either) else [part])))

    def _both(self, tree: Branch, schema: Schema, depth: int) -> Node:
        parts = [self.node(child, schema, depth) for child in tree.children]
        return All(tuple(flat for part in parts for flat in (part.parts if isinstance(part, All) else [part])))

    def _negation(self, tree: Branch, schema: Schema, depth: int) -> Node:
        return Not(self.node(tree.children[0], schema, depth))

    def _at_least(self, tree: Branch, schema: Schema, depth: int) -> Node:
        token, *children = tree.children
        if not 1 <= int(token) <= len(children):
            sentence = gettext("“at least {count}” is out of range. Enter a number from 1 to {limit}.")
            raise _error(sentence.format(count=token, limit=len(children)), token)
        return AtLeast(int(token), tuple(self.node(child, schema, depth) for child in children))

    def _any_row(self, tree: Branch, schema: Schema, depth: int) -> Node:
        names, part = tree.children
        path = _rows_path(schema, names)
        return AnyRow(path, self.node(part, _schema_at(path), depth + len(path.fields) - 1))

    def _comparison(self, tree: Branch, schema: Schema, depth: int) -> Node:
        names, token, *values = tree.children
        path = _path(schema, names)
        _check_depth(depth + len(path.fields) - 2, tree)
        operator = " ".join(token.lower().split())
        _check_operator(path.field, operator, token)
        return Leaf(path, operator, tuple(self._operand(path.field, operator, value) for value in values))

    def _operand(self, field: Field, operator: str, tree: Branch) -> Operand:
        text = _value_text(tree)
        try:
            operand = read_operand(field, operator, text)
        except ValueError as error:
            suggestion = error.suggestion if isinstance(error, NoSuch) else ""
            raise _error(str(error), tree.children[0], word=text, suggestion=suggestion) from None
        if operand.kind in (Kind.ME, Kind.MY_TEAM) and not self.people:
            sentence = gettext("“{word}” can’t be used here because there’s no signed-in user.")
            raise _error(sentence.format(word=operand.kind), tree.children[0])
        self.lasting = self.lasting and not looked_up(field, text)
        return operand


def _check_depth(depth: int, tree: Branch) -> None:
    if depth > MAX_DEPTH:
        sentence = gettext("Queries can be nested up to {count} levels.").format(count=MAX_DEPTH)
        raise ConditionError(sentence, position=tree.meta.start_pos)


def _value_text(tree: Branch) -> str:
    first = tree.children[0]
    if first.type == "QUOTED":
        return re.sub(r"\\([\s\S])", r"\1", first[1:-1])
    return " ".join(tree.children)


def _names(tree: Branch) -> list[str]:
    return [" ".join(name.children) for name in tree.children]


def _path(schema: Schema, tree: Branch) -> Path:
    return _follow(schema, _names(tree), tree)


def _follow(schema: Schema, names: list[str], tree: Branch) -> Path:
    """Return the path over `names`; errors are placed at the first name in `tree`."""
    if len(names) > MAX_LINKS + 1:
        sentence = gettext("A path can follow up to {count} links.").format(count=MAX_LINKS)
        raise _error(sentence, tree.children[0].children[0])
    try:
        return schema.follow(names)
    except UnknownField as error:
        raise _unknown(error, tree.children[error.position]) from None


def _unknown(error: UnknownField, name: Branch) -> ConditionError:
    return _error(error.sentence, name.children[0], word=error.name, suggestion=error.suggestion)


def _rows_path(schema: Schema, tree: Branch) -> Path:
    """Return the path to a to-many field, which may also be named by its target records."""
    *hops, last = _names(tree)
    owner = _owner(schema, hops, last, tree)
    field = owner.linked(last)
    if field is None:
        many = [str(field.label) for field in owner if field.type is FieldType.MANY]
        if many:
            sentence = gettext("“any” only works with related lists. “{name}” isn’t one. Choose from: {choices}.")
        else:
            sentence = gettext("“any” only works with related lists. “{name}” isn’t one.")
        sentence = sentence.format(name=last, choices=", ".join(many))
        raise _error(sentence, tree.children[-1].children[0], word=last, suggestion=nearest(last, many))
    return _follow(schema, [*hops, field.key], tree)


def _owner(schema: Schema, hops: list[str], last: str, tree: Branch) -> Schema:
    if not hops:
        return schema
    path = _follow(schema, hops, tree)
    return _schema_at(path if path.field.target else _follow(schema, [*hops, last], tree))


def _schema_at(path: Path) -> Schema:
    return schema(path.field.target)


def _check_operator(field: Field, operator: str, token: Token) -> None:
    allowed = operators(field)
    if operator not in allowed:
        sentence = gettext("{field} doesn’t support “{operator}”. Use {operators}.")
        raise _error(sentence.format(field=field.label, operator=operator, operators=", ".join(allowed)), token)


def _error(sentence: str, token: Token, *, word: str = "", suggestion: str = "") -> ConditionError:
    """Return the error with its position, counted from 1."""
    position = token.start_pos or 0
    placed = gettext("{sentence} (position {position})").format(sentence=sentence, position=position + 1)
    word = word or str(token)
    return ConditionError(placed, word=word, position=position, suggestion=suggestion, sentence=sentence)


_CONTINUE = _(
    "Expected “and”, “or” or the end of the query. "
    "Put values containing parentheses, commas or quotes in double quotes."
)
_EXPECTED = (
    (
        "COMPARISON",
        _(
            "Expected an operator after the field: =, !=, <, <=, >, >=, in, not in, contains, starts with, is empty "
            "or is not empty."
        ),
    ),
    ("_AND", _CONTINUE),
    ("QUOTED", _("Missing value.")),
    ("_AT_LEAST", _("Expected a field.")),
    ("WORD_OF_NAME", _("Expected a name.")),
    ("COUNT", _("Use this form: at least 2 of (…, …, …).")),
    ("_OF", _("Use this form: at least 2 of (…, …, …).")),
    ("LPAR", _("Expected an opening parenthesis.")),
    ("RPAR", _("Missing closing parenthesis.")),
)


def _syntax_error(text: str, error: UnexpectedInput) -> ConditionError:
    hint = next((sentence for terminal, sentence in _EXPECTED if terminal in _expected(error)), _CONTINUE)
    position = _position(text, error)
    word = re.split(r"[\s,()]", text[position:], maxsplit=1)[0] or text[position : position + 1]
    if not word:
        return ConditionError(gettext("Incomplete query. {hint}").format(hint=hint), position=position)
    sentence = gettext("Unexpected “{word}” at position {position}. {hint}")
    return ConditionError(sentence.format(word=word, position=position + 1, hint=hint), word=word, position=position)


def _expected(error: UnexpectedInput) -> set[str]:
    """Return the terminals that would have been valid; lark names them in three ways."""
    named = (getattr(error, name, None) for name in ("accepts", "expected", "allowed"))
    return set(next(filter(None, named), ()))


def _position(text: str, error: UnexpectedInput) -> int:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return len(text)
    if isinstance(error, UnexpectedCharacters | UnexpectedToken) and error.pos_in_stream is not None:
        return error.pos_in_stream
    return len(text)
