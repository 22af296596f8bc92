"""References from settings to fields, options and views. Each app that stores references declares once how to list
them; from these come the refusal to remove what is in use, the “Used by” columns, and the exceptions for invalid
settings.

A stored reference is parsed on each use, so it can become invalid: by a restored backup, or a removed app. Its users
then skip it; this registry reports it.

Why: docs/decisions/0024-settings-declare-references.md
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from django.db import transaction
from django.urls import reverse

from crm.entities import registry
from crm.entities.models import CUSTOM_TYPES, CustomField
from crm.entities.placeholders import PLACE, check_placeholders, placeholder
from crm.entities.schema import Path, UnknownField, schema
from crm.entities.versions import bump_schema
from crm.kit.errors import DomainError, InUse, Invalid
from crm.kit.registry import Registry
from crm.kit.scope import workspace
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _


@dataclass(frozen=True)
class Target:
    """The target of a reference: a field, one of its options, or a view (`key` is its slug)."""

    kind: str
    entity: str
    key: str
    option: str = ""


def field_target(entity: str, key: str) -> Target:
    return Target("field", entity, key)


def option_target(entity: str, key: str, option: str) -> Target:
    return Target("option", entity, key, option)


def view_target(entity: str, slug: str) -> Target:
    return Target("view", entity, slug)


class Reference(Protocol):
    """A stored text or key that refers to a target."""

    def targets(self) -> Iterable[Target]:
        """Return its targets. Raises DomainError with a message if it is invalid."""


def targets_of_path(path: Path) -> list[Target]:
    return [field_target(entity.name, step.key) for entity, step in path.steps()]


@dataclass(frozen=True)
class FieldReference:
    """A field named by its key, or by a path over links."""

    entity: str
    text: str

    def targets(self) -> list[Target]:
        try:
            return targets_of_path(schema(self.entity).path(self.text))
        except UnknownField as error:
            raise Invalid(error.sentence) from None


@dataclass(frozen=True)
class OptionReference:
    """A value that a field is set to, or a text with {placeholders}."""

    entity: str
    key: str
    value: str

    def targets(self) -> list[Target]:
        """Return the targets. An unoffered value has none: setting it is checked elsewhere."""
        if PLACE.search(self.value):
            return PlaceholderReference(self.entity, self.value).targets()
        found = schema(self.entity).fields.get(self.key)
        choice = found.choice(self.value) if found and found.choices else None
        return [option_target(self.entity, self.key, choice.value)] if choice else []


@dataclass(frozen=True)
class PlaceholderReference:
    """A text with {placeholders}."""

    entity: str
    text: str
    label: str = _("Text")

    def targets(self) -> list[Target]:
        check_placeholders(self.text, self.entity, self.label)
        paths = [placeholder(self.entity, name) for name in PLACE.findall(self.text)]
        return [target for path in paths for target in targets_of_path(path)]


@dataclass(frozen=True)
class CustomFieldReference:
    """The type of a custom field, and the entity that it links to."""

    custom: CustomField

    def targets(self) -> list[Target]:
        if self.custom.type not in CUSTOM_TYPES:
            raise Invalid(gettext("The field type “{type}” doesn’t exist.").format(type=self.custom.type))
        if not self.custom.is_known:
            sentence = gettext("The linked record type “{name}” doesn’t exist.")
            raise Invalid(sentence.format(name=self.custom.target))
        return self._stages()

    def _stages(self) -> list[Target]:
        if not self.custom.required_from:
            return []
        entity, key = self.custom.entity, registry.get(self.custom.entity).stage
        known = {choice.value for choice in schema(entity).field(key).choices} if key else set()
        if gone := next((value for value in self.custom.required_from if value not in known), ""):
            raise Invalid(gettext("The stage “{name}” isn’t in use.").format(name=gone))
        return [option_target(entity, key, value) for value in self.custom.required_from]


@dataclass(frozen=True)
class SettingUse:
    """A setting with references: its label, edit URL and references.

    `shown` are references it works without, e.g. columns: deleted ones are left out. `blocks`: its targets cannot be
    removed, and it is an exception while invalid. False for settings that are off or belong to one member, because an
    admin could not edit them.
    """

    kind: str
    pk: int
    label: str
    url: str
    references: Sequence[Reference] = field(compare=False)
    shown: Sequence[Reference] = field(default=(), compare=False)
    blocks: bool = True

    def problem(self) -> str:
        """Return why it is invalid, '' if valid."""
        return next(filter(None, map(_problem, self.references)), "")

    def targets(self) -> set[Target]:
        return {target for reference in (*self.references, *self.shown) for target in _targets(reference)}


def _problem(reference: Reference) -> str:
    try:
        reference.targets()
    except DomainError as error:
        return str(error)
    return ""


def _targets(reference: Reference) -> Iterable[Target]:
    try:
        return reference.targets()
    except DomainError:
        return ()


@dataclass(frozen=True)
class ReferringModel:
    """A model that stores references: `uses()` lists its rows in the workspace in scope.

    `fields` are the columns with references; a test fails for such columns without a registered model.
    """

    name: str
    model: str
    fields: tuple[str, ...]
    uses: Callable[[], Iterable[SettingUse]]


_storers: Registry[ReferringModel] = Registry("storer")


def register(storer: ReferringModel) -> ReferringModel:
    """Register a model and return it. Raises ValueError for a duplicate name."""
    return _storers.add(storer.name, storer)


def all_referring_models() -> list[ReferringModel]:
    return list(_storers.values())


def all_setting_uses() -> list[SettingUse]:
    """Return all settings with references in the workspace in scope."""
    return [use for storer in _storers.values() for use in storer.uses()]


def unreadable_by_pk(storer: str) -> dict[int, str]:
    """Map the pk of each invalid setting of one model to the reason."""
    found = {use.pk: use.problem() for use in _storers[storer].uses()}
    return {pk: problem for pk, problem in found.items() if problem}


def why_unreadable(storer: str, pk: int | None) -> str:
    """Return why one setting is invalid; '' if valid, and for None."""
    return next((use.problem() for use in _storers[storer].uses() if use.pk == pk), "") if pk else ""


def used_by() -> dict[Target, list[SettingUse]]:
    """Return the settings of the workspace in scope by target."""
    found: dict[Target, list[SettingUse]] = {}
    for use in all_setting_uses():
        for target in use.targets():
            found.setdefault(target, []).append(use)
    return found


@contextmanager
def refuse_breaking_changes(refusal: str) -> Iterator[None]:
    """Raise InUse, with `refusal` and the settings, if the block makes a setting invalid.

    Settings are checked before and after, whatever the block does. In the caller's transaction, which the exception
    rolls back; the block itself calls bump_schema() after changing fields.
    """
    here, version = workspace(), workspace().schema_version
    before = {(use.kind, use.pk) for use in all_setting_uses() if use.problem()}
    yield
    broken = [use for use in all_setting_uses() if use.blocks and (use.kind, use.pk) not in before and use.problem()]
    if broken:
        here.schema_version = version
        raise InUse(refusal, [(use.label, use.url) for use in broken])


def problems_after(change: Callable[[], object]) -> dict[tuple[str, int], str]:
    """Map (kind, pk) of each setting to why it is invalid after `change`, '' if valid. The change is rolled back."""
    here, version = workspace(), workspace().schema_version
    try:
        with transaction.atomic():
            change()
            bump_schema()
            found = {(use.kind, use.pk): use.problem() for use in all_setting_uses()}
            transaction.set_rollback(True)
    finally:
        here.schema_version = version
    return found


def _custom_fields() -> Iterator[SettingUse]:
    for custom in CustomField.objects.filter(archived_at__isnull=True):
        url = reverse("field", args=[custom.pk])
        label = gettext("Field “{field}”").format(field=custom.label)
        yield SettingUse("custom_field", custom.pk, label, url, [CustomFieldReference(custom)])


register(ReferringModel("custom_field", "entities.CustomField", ("target", "choices", "required_from"), _custom_fields))
