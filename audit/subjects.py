"""Auditable entities: each one's model, and the contact whose timeline shows its entries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from django.apps import apps
from django.db import models
from django.db.models import Expression, F, Value
from django.db.models.functions import Coalesce

from crm.events.registry import EventType, declare
from crm.kit.actor import Actor
from crm.kit.registry import Registry
from crm.kit.translation import gettext_lazy as _


@runtime_checkable
class Guarded(Protocol):
    """The manager of a model with restricted editing."""

    def editable_by(self, by: Actor) -> models.QuerySet:
        """Return the rows that the actor may change."""


@dataclass(frozen=True)
class Subject:
    """A model with audited changes. `person`: the path from it to its contact, '' for none; `or_person`: further paths,
    for a record that belongs to one of several.

    `moves` names the fields of a record's process state; `set_by_moves` those that moves also set but users can edit;
    `following` those that only change with another, more notable one. `undone_with_records`: a setting that its app
    puts back itself when the records of the same change are undone. `together` are groups of fields that make one
    value, e.g. a list: undo restores all of a group or none.
    """

    entity: str
    model_label: str
    person: str = ""
    following: frozenset[str] = frozenset()
    moves: frozenset[str] = frozenset()
    set_by_moves: frozenset[str] = frozenset()
    undone_with_records: bool = False
    or_person: tuple[str, ...] = ()
    together: tuple[frozenset[str], ...] = ()

    @property
    def person_key(self) -> Expression | F:
        """Return the contact's key as an expression over the records."""
        if self.or_person:
            return Coalesce(self.person, *self.or_person)
        return F(self.person) if self.person else Value(None, models.BigIntegerField())

    @property
    def model(self) -> type[models.Model]:
        return apps.get_model(self.model_label)

    @property
    def is_setting(self) -> bool:
        """Whether it is a workspace setting, which has no owner and which undo does not touch."""
        return not isinstance(self.model._default_manager, Guarded)


_subjects: Registry[Subject] = Registry("subject")


def register(
    entity: str,
    model_label: str,
    person: str = "",
    following: Iterable[str] = (),
    moves: Iterable[str] = (),
    set_by_moves: Iterable[str] = (),
    undone_with_records: bool = False,
    or_person: tuple[str, ...] = (),
    together: Iterable[Iterable[str]] = (),
) -> None:
    names = (frozenset(following), frozenset(moves), frozenset(set_by_moves))
    groups = tuple(frozenset(keys) for keys in together)
    _subjects.add(entity, Subject(entity, model_label, person, *names, undone_with_records, or_person, groups))
    declare(EventType(f"{entity}.undone", "UNDO", _("Change undone"), _("{who} undid a change"), icon="undo-2"))


def subject(entity: str) -> Subject:
    """Return the subject registered as `entity`. Raises KeyError."""
    return _subjects[entity]


def person_subject() -> Subject:
    return next(about for about in _subjects.values() if about.person == "pk")


def all_subjects() -> list[Subject]:
    return list(_subjects.values())
