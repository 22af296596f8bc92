"""Axes: fields that change only by legal moves. Values and moves are data, used everywhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as attribute
from enum import StrEnum

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
    but `targets`, its choices; () for any.
    """

    verb: str
    label: str = attribute(compare=False)
    sources: tuple[str, ...]
    target: str  # '' if the target is chosen
    event: str
    role: Role = Role.REP
    reason: Reason = Reason.NO
    severity: str = "info"
    by_rule: bool = False
    targets: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def may_reach(self, value: str) -> bool:
        return value == self.target if self.target else value in self.targets or not self.targets


@dataclass(frozen=True)
class Axis:
    """A field of an entity with its values and legal moves. `<field>_since`: when the value was entered.

    `start_help` explains the possible initial values. `aliases` are former labels.
    """

    entity: str
    field: str
    label: str = attribute(compare=False)
    values: tuple[Choice, ...]
    moves: tuple[Move, ...]
    start_help: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def since(self) -> str:
        """The field with the time of the current value."""
        return f"{self.field}_since"

    def value(self, value: str) -> Choice:
        """Return the value's label and tone. Raises KeyError."""
        return {choice.value: choice for choice in self.values}[value]

    def move(self, verb: str) -> Move:
        """Return the move of `verb`. Raises KeyError."""
        return {move.verb: move for move in self.moves}[verb]

    def moves_from(self, value: str) -> list[Move]:
        return [move for move in self.moves if value in move.sources]

    def names(self, values: Iterable[str]) -> str:
        """Return the labels as text: 'Lead or Qualified'."""
        return formats.either([str(self.value(value).label) for value in values])


_axes: Registry[Axis] = Registry("axis")


def register(axis: Axis) -> Axis:
    return _axes.add(f"{axis.entity}.{axis.field}", axis)


def axes_of(entity: str) -> list[Axis]:
    return [axis for axis in all_axes() if axis.entity == entity]


def all_axes() -> list[Axis]:
    return list(_axes)


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
    text = gettext("“{action}” isn’t available at {stage}, only at {stages}.")
    return text.format(action=step.label, stages=axis.names(step.sources), stage=name)
