"""Kinds of step: apps register what a workflow can do.

    register(StepKind("greet", "Greet", "hand", params=(…), sentence=…, perform=greet))

`perform(context, values)` acts through verbs, as `context.by`, in a transaction that also records the step. A step with
external effects (email, webhooks) is `outward`: called outside any transaction, and possibly twice after a crash, with
`context.key` for the receiver to detect duplicates. A verb's refusal stops the run, with the reason.
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
from crm.records.registry import RECORD_TYPES
from crm.workflows.models import Run
from crm.workflows.params import Param, Values


class StepFailed(Exception):
    """A permanent failure of a step; the message helps the workflow's editor to fix it."""


@dataclass(frozen=True)
class Context:
    """A step's context: its run, its actor (the workflow's owner) and the time."""

    run: Run
    by: Actor
    now: datetime

    @property
    def entity(self) -> str:
        return self.run.entity

    @property
    def rows(self) -> Any:
        return RECORD_TYPES[self.entity].model.objects.live().visible_to(self.by).filter(pk=self.run.record_id)

    @cached_property
    def record(self) -> Any:
        return self.rows.get()

    @property
    def key(self) -> str:
        """Idempotency key for the outside, the same at every attempt of this step."""
        return f"{self.run.public_id}-{self.run.position}"

    def fill(self, text: str) -> str:
        return render(text, self.entity, self.run.record_id)

    def about(self) -> dict[str, int]:
        """Return the keyword arguments for log() that link an activity to the record."""
        about = RECORD_TYPES[self.entity].about
        return about(self.record) if about else {}

    def holds(self, condition: Condition) -> bool:
        return self.rows.filter(condition.expression(Viewer(), self.now)).exists()


@dataclass(frozen=True)
class Result:
    """A step's result: its text, what it saw, and the next position if not the following step.

    `until`: the run waits until then, or for the step's condition if `watching`.
    """

    decided: str
    seen: dict[str, Any] = field(default_factory=dict)
    changed: bool = False
    jump: int | None = None
    until: datetime | None = None
    ends: bool = False


@dataclass(frozen=True)
class StepKind:
    """A kind of step. `sentence(values, entity)` describes it, with placeholders in texts kept.

    `check(values, entity)` raises Invalid for errors beyond single parameters. `entities`: where it is offered; () for
    all. `depth`: opens (1), divides (0) or closes (−1) a block. `afterwards`: what an outward step writes after
    success, in the transaction that records it.
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
    """Register a kind of step. Raises ValueError for a duplicate name."""
    return _kinds.add(kind.name, kind)


def step_kind(name: str) -> StepKind | None:
    """Return the kind called `name`, None if no app provides it."""
    return _kinds.get(name)


def kinds_for(entity: str) -> list[StepKind]:
    """Return the kinds offered for an entity, in order of registration."""
    return [kind for kind in _kinds.values() if not kind.entities or entity in kind.entities]


def partner(steps: Sequence[Values], position: int, *names: str) -> int:
    """Return the next position of one of `names` on the level of the step at `position`."""
    level = 0
    for index in range(position + 1, len(steps)):
        name = steps[index]["kind"]
        if level == 0 and name in names:
            return index
        level += {"branch": 1, "end": -1}.get(name, 0)
    return len(steps)
