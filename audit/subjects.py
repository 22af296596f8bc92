"""What can be audited: each entity's model, and whose timeline its entries belong to."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.db import models

from crm.events.registry import EventType, declare


@dataclass(frozen=True)
class Subject:
    """A model whose changes are recorded. `person`: the path from it to the contact concerned, '' for none.

    `following` names the fields that only change with another one, which is the one worth a sentence.
    """

    entity: str
    model_label: str
    person: str = ""
    following: frozenset[str] = frozenset()

    @property
    def model(self) -> type[models.Model]:
        """The Django model."""
        return apps.get_model(self.model_label)


_subjects: dict[str, Subject] = {}


def register(entity: str, model_label: str, person: str = "", following: Iterable[str] = ()) -> None:
    """Let `entity` be recorded, and its changes undone."""
    _subjects[entity] = Subject(entity, model_label, person, frozenset(following))
    declare(EventType(f"{entity}.undone", "UNDO", "undid a change", icon="undo-2"))


def subject(entity: str) -> Subject:
    """The subject registered as `entity`. Raises KeyError."""
    return _subjects[entity]


def people() -> Subject:
    """The subject whose records are persons, the contact."""
    return next(about for about in _subjects.values() if about.person == "pk")


def all_subjects() -> list[Subject]:
    """Every registered subject."""
    return list(_subjects.values())
