"""Axes: fields that change only by legal moves. Values and moves are data, used everywhere."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from enum import StrEnum
from functools import cached_property

from crm.entities import registry
from crm.entities.fields import Choice
from crm.kit import formats
from crm.kit.actor import Role
from crm.kit.registry import Registry
from crm.kit.translation import gettext


class Reason(StrEnum):
    """Whether a move takes a reason."""

    NO = "no"
    ASKED = "asked"
    REQUIRED = "required"


@dataclass(frozen=True)
class Move:
    """A legal move: its verb, source values, target and role.

    `label` is its button's action (“Mark as lost”), and with `aliases` its name in conditions and files. A move
    `by_rule` has no button: it follows from something else, e.g. a score. A verb with a chosen target has no `target`
    but `targets`, its choices; () for any. Moves stay within the group of their value, except one that `leaves_group`.
    """

    verb: str
    label: str = attribute(compare=False)
    sources: Sequence[str]
    target: str  # '' if the target is chosen
    event: str
    role: Role = Role.REP
    reason: Reason = Reason.NO
    severity: str = "info"
    by_rule: bool = False
    targets: Sequence[str] = ()
    aliases: tuple[str, ...] = ()
    leaves_group: bool = False

    def may_reach(self, value: str) -> bool:
        return value == self.target if self.target else value in self.targets or not self.targets


@dataclass(frozen=True)
class Axis:
    """A field of an entity with its values and legal moves. `<field>_since`: when the value was entered.

    `start_help` explains the possible initial values, `starts` (() for any). `past` are values that records and history
    may still have, and nobody can choose. `group_field` tells the groups of values. `aliases` are former labels.
    `expected()`: the expected days in each value, where they are not part of its definition; `expected_help` says where
    they are set.
    """

    entity: str
    field: str
    label: str = attribute(compare=False)
    values: Sequence[Choice]
    moves: tuple[Move, ...]
    start_help: str = ""
    aliases: tuple[str, ...] = ()
    past: Sequence[Choice] = ()
    starts: Sequence[str] = ()
    group_field: str = ""
    expected: Callable[[], Mapping[str, int | None]] | None = None
    expected_help: str = attribute(default="", compare=False)

    @cached_property
    def since(self) -> str:
        """The field with the time of the current value."""
        return f"{self.field}_since"

    @cached_property
    def by_verb(self) -> dict[str, Move]:
        return {move.verb: move for move in self.moves}

    def value(self, value: str) -> Choice:
        """Return the value's label and tone. Raises KeyError."""
        return {choice.value: choice for choice in (*self.past, *self.values)}[value]

    def moves_from(self, value: str) -> list[Move]:
        return [move for move in self.moves if value in move.sources]

    def may_start(self, value: str) -> bool:
        """Return whether new records may have a value."""
        return not self.starts or value in self.starts

    def condition(self, value: str) -> str:
        """Return the condition of records at exactly this value: others may share its label in another group."""
        here = self.value(value)
        twins = [choice for choice in self.values if str(choice.label) == str(here.label)]
        text = f"{self.field} = {value}"  # not a text
        return f"{text} and {self.group_field} = {self._group_of(here)}" if len(twins) > 1 else text  # not a text

    def _group_of(self, choice: Choice) -> str:
        groups = registry.get(self.entity).fields[self.group_field].choices
        return next(group.value for group in groups if str(group.label) == choice.group)

    def reachable(self, move: Move, here: str) -> list[Choice]:
        """Return the values to which a move can lead from `here`."""
        group = self.value(here).group
        found = (choice for choice in self.values if move.may_reach(choice.value) and choice.value != here)
        return [choice for choice in found if (choice.group != group) == move.leaves_group]

    def target_of(self, move: Move, here: str) -> Choice | None:
        """Return where a move leads from `here`; None if it has several targets."""
        if move.target:
            return self.value(move.target)
        found = self.reachable(move, here) if here in move.sources else []
        return found[0] if len(found) == 1 else None

    def names(self, values: Iterable[str]) -> str:
        """Return the labels as text: 'Lead or Qualified'."""
        return formats.either([str(self.value(value).label) for value in values])


_axes: Registry[Axis] = Registry("axis")


def register(axis: Axis) -> Axis:
    return _axes.add(f"{axis.entity}.{axis.field}", axis)


def axes_of(entity: str) -> list[Axis]:
    return [axis for axis in all_axes() if axis.entity == entity]


def all_axes() -> list[Axis]:
    return list(_axes.values())


def wrong_role_message(step: Move) -> str:
    """Return the message that refuses a move for the role."""
    if step.role == Role.ADMIN:
        return gettext("Only admins can do this.")
    if step.role == Role.MANAGER:
        return gettext("Only managers and admins can do this.")
    return gettext("Viewers can’t change records.")


def wrong_stage_message(axis: Axis, step: Move, here: str, to: str = "") -> str:
    """Return the message that refuses a move not starting at `here`."""
    name = axis.value(here).label
    if here == (step.target or to):
        return gettext("Already {stage}.").format(stage=name)
    if to and step.sources and here in step.sources:
        return _wrong_group_message(axis, here, to)
    text = gettext("“{action}” isn’t available at {stage}, only at {stages}.")
    return text.format(action=step.label, stages=axis.names(step.sources), stage=name)


def _wrong_group_message(axis: Axis, here: str, to: str) -> str:
    text = gettext("{stage} is a stage of {group}. This record is in {other}.")
    return text.format(stage=axis.value(to).label, group=axis.value(to).group, other=axis.value(here).group)
