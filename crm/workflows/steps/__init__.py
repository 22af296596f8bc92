"""The kinds of step: apps register what a workflow can do.

    register(StepKind("greet", "Greet", "hand", params=(…), sentence=…, perform=greet))

`perform(context, values)` does it through verbs, as `context.by`, in a transaction that also writes down what it did.
One that reaches outside (mail, webhooks) is `outward`: called outside any transaction, and after a crash perhaps twice,
with `context.key` for the other side to recognise the second time. What a verb refuses stops the run, with the reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from crm.conditions.compile import Viewer
from crm.conditions.condition import Condition
from crm.entities.placeholders import render
from crm.kit.actor import Actor
from crm.kit.registry import Registry
from crm.records.registry import record_type
from crm.workflows.models import Run
from crm.workflows.params import Param, Values


class StepFailed(Exception):
    """A step cannot be done as it is, however often it is tried; the message says why, to whoever mends it."""


@dataclass(frozen=True)
class Context:
    """What a step works with: its run, who acts (the workflow's owner), and the time."""

    run: Run
    by: Actor
    now: datetime

    @property
    def entity(self) -> str:
        return self.run.entity

    @property
    def rows(self) -> Any:
        return record_type(self.entity).model.objects.live().visible_to(self.by).filter(pk=self.run.record_id)

    @cached_property
    def record(self) -> Any:
        return self.rows.get()

    @property
    def key(self) -> str:
        """Names this step of this run to the outside, the same at every attempt."""
        return f"{self.run.public_id}-{self.run.position}"

    def fill(self, text: str) -> str:
        return render(text, self.entity, self.run.record_id)

    def about(self) -> dict[str, int]:
        """Whom an activity of the record is about, as log() takes it."""
        about = record_type(self.entity).about
        return about(self.record) if about else {}

    def holds(self, condition: Condition) -> bool:
        return self.rows.filter(condition.expression(Viewer(), self.now)).exists()


@dataclass(frozen=True)
class Result:
    """What a step came to: in words, what it saw, and where the run goes on if not at the next step.

    `until`: the run waits till then, or for the condition that the step names if it is `watching`.
    """

    decided: str
    seen: dict[str, Any] = field(default_factory=dict)
    changed: bool = False
    jump: int | None = None
    until: datetime | None = None
    ends: bool = False


@dataclass(frozen=True)
class StepKind:
    """Something that a workflow can do. `sentence(values, entity)` says it, with places in texts left as they are.

    `check(values, entity)` raises Invalid for what the parameters alone cannot tell. `entities`: where it is offered;
    () everywhere. `depth`: how a block of steps is opened (1), parted (0) or closed (−1). `afterwards`: what an outward
    step writes once it has reached the other side, in the transaction that says so.
    """

    name: str
    label: str
    icon: str
    params: tuple[Param, ...]
    sentence: Callable[[Values, str], str]
    perform: Callable[[Context, Values], Result]
    check: Callable[[Values, str], None] = lambda values, entity: None
    outward: bool = False
    entities: tuple[str, ...] = ()
    depth: int | None = None
    afterwards: Callable[[Context, Values], None] = lambda context, values: None


_kinds: Registry[StepKind] = Registry("kind of step")  # not a text


def register(kind: StepKind) -> StepKind:
    """Make a kind of step known. Raises ValueError for a name that is taken."""
    return _kinds.add(kind.name, kind)


def step_kind(name: str) -> StepKind | None:
    """The kind called `name`, None when no app brings it."""
    return _kinds.get(name)


def kinds_for(entity: str) -> list[StepKind]:
    """The kinds that make sense for records of an entity, as they were registered."""
    return [kind for kind in _kinds if not kind.entities or entity in kind.entities]


def partner(steps: Sequence[Values], position: int, *names: str) -> int:
    """Where the block that the step at `position` is part of goes on: the first of `names` on its level after it."""
    level = 0
    for index in range(position + 1, len(steps)):
        name = steps[index]["kind"]
        if level == 0 and name in names:
            return index
        level += {"branch": 1, "end": -1}.get(name, 0)
    return len(steps)
