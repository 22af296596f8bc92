"""An axis is a field that only legal moves change: its values and moves are data, read by everything."""

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
    """Whether a move wants to be told why."""

    NO = "no"
    ASKED = "asked"
    REQUIRED = "required"


@dataclass(frozen=True)
class Move:
    """A legal move: the verb that makes it, from which values to which one, and who may.

    `label` is what its button says: the action (“Mark as lost”), which conditions and files know by `aliases` too. One
    made `by_rule` is no button: it follows from something else, such as a score. A verb that is told where to has no
    target but `targets`, the values among which it chooses; () for any.
    """

    verb: str
    label: str = attribute(compare=False)
    sources: tuple[str, ...]
    target: str  # '' when the verb is told where to
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
    """A field of an entity with its values and legal moves. `<field>_since`: since when the value stands.

    `start_help` tells whoever adds a record where it may stand from the start. `aliases` are former labels.
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
        """The field that holds when the present value was entered."""
        return f"{self.field}_since"

    def value(self, value: str) -> Choice:
        """The value's label and tone. Raises KeyError."""
        return {choice.value: choice for choice in self.values}[value]

    def move(self, verb: str) -> Move:
        """The move that `verb` makes. Raises KeyError."""
        return {move.verb: move for move in self.moves}[verb]

    def moves_from(self, value: str) -> list[Move]:
        return [move for move in self.moves if value in move.sources]

    def names(self, values: Iterable[str]) -> str:
        """Labels as words: 'Lead or Qualified'."""
        return formats.either([str(self.value(value).label) for value in values])


_axes: Registry[Axis] = Registry("axis")


def register(axis: Axis) -> Axis:
    return _axes.add(f"{axis.entity}.{axis.field}", axis)


def axes_of(entity: str) -> list[Axis]:
    return [axis for axis in all_axes() if axis.entity == entity]


def all_axes() -> list[Axis]:
    return list(_axes)


def wrong_role_message(step: Move) -> str:
    """The sentence that refuses a move to those whose role is too low."""
    if step.role == Role.ADMIN:
        return gettext("Only admins can do this.")
    if step.role == Role.MANAGER:
        return gettext("Only managers and admins can do this.")
    return gettext("Viewers can’t change records.")


def wrong_stage_message(axis: Axis, step: Move, here: str, to: str = "") -> str:
    """The sentence that refuses a move which does not start at `here`."""
    name = axis.value(here).label
    if here == (step.target or to):
        return gettext("Already {stage}.").format(stage=name)
    text = gettext("“{action}” isn’t available at {stage}, only at {stages}.")
    return text.format(action=step.label, stages=axis.names(step.sources), stage=name)
