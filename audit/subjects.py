"""What can be audited: each entity's model, and whose timeline its entries belong to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from django.apps import apps
from django.db import models

from crm.events.registry import EventType, declare
from crm.kit.actor import Actor
from crm.kit.registry import Registry
from crm.kit.translation import gettext_lazy as _


@runtime_checkable
class Guarded(Protocol):
    """The manager of a model whose rows not every member may change."""

    def editable_by(self, by: Actor) -> models.QuerySet:
        """The rows that the actor may change."""


@dataclass(frozen=True)
class Subject:
    """A model whose changes are recorded. `person`: the path from it to the contact concerned, '' for none.

    `moves` names the fields that say where a record stands in a process; `set_by_moves` those that a move sets too and
    that people can edit as well; `following` those that only change with another one, the one worth a sentence.
    """

    entity: str
    model_label: str
    person: str = ""
    following: frozenset[str] = frozenset()
    moves: frozenset[str] = frozenset()
    set_by_moves: frozenset[str] = frozenset()

    @property
    def model(self) -> type[models.Model]:
        return apps.get_model(self.model_label)

    @property
    def is_setting(self) -> bool:
        """Whether it is a setting of the workspace, which nobody owns and undo does not touch."""
        return not isinstance(self.model._default_manager, Guarded)


_subjects: Registry[Subject] = Registry("subject")


def register(
    entity: str,
    model_label: str,
    person: str = "",
    following: Iterable[str] = (),
    moves: Iterable[str] = (),
    set_by_moves: Iterable[str] = (),
) -> None:
    """Let `entity` be recorded, and its changes undone."""
    names = (frozenset(keys) for keys in (following, moves, set_by_moves))
    _subjects.add(entity, Subject(entity, model_label, person, *names))
    declare(EventType(f"{entity}.undone", "UNDO", _("Change undone"), _("{who} undid a change"), icon="undo-2"))


def subject(entity: str) -> Subject:
    """The subject registered as `entity`. Raises KeyError."""
    return _subjects[entity]


def person_subject() -> Subject:
    return next(about for about in _subjects if about.person == "pk")


def all_subjects() -> list[Subject]:
    return list(_subjects)
