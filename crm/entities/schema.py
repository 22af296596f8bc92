"""The fields of an entity in the workspace in scope: declared and custom ones, in one case-insensitive namespace."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crm.entities import registry
from crm.entities.fields import Field, FieldType
from crm.entities.models import CustomField
from crm.kit.scope import workspace
from crm.kit.text import fold
from crm.kit.translation import active_language, in_english
from crm.kit.translation import gettext as _

_PART = re.compile(r"\[[^\[\]]*\]|[^.\[\]]+")


@dataclass(frozen=True)
class Path:
    """A field reached over links from an entity: company.industry has the fields (company, industry)."""

    entity: str
    fields: tuple[Field, ...]

    @property
    def labels(self) -> list[str]:
        """Return each field's label in a condition, in the reader's language."""
        return [schema(entity.name).written(field) for entity, field in self.steps()]

    @property
    def field(self) -> Field:
        return self.fields[-1]

    @property
    def key(self) -> str:
        return ".".join(field.key for field in self.fields)

    @property
    def label(self) -> str:
        return " / ".join(str(field.label) for field in self.fields)

    def steps(self) -> Iterator[tuple[registry.Entity, Field]]:
        entity = registry.get(self.entity)
        for field in self.fields:
            yield entity, field
            if field.target:
                entity = registry.get(field.target)


class Schema:
    """An entity's fields in one workspace, in display order. Immutable."""

    def __init__(self, entity: registry.Entity, custom: list[CustomField]):
        self.entity = entity
        live = [field.declaration() for field in custom if field.archived_at is None and field.is_known]
        declared = [field.fixed() for field in entity.fields.values()]
        self.fields: dict[str, Field] = {field.key: field for field in (*live, *declared)}
        # Declared names come last and win: an upgrade may add a field with a name that an admin already used.
        self._names = {fold(name): field.key for field in (*live, *declared) for name in field.names()}
        self.archived = {
            fold(name): field.label for field in custom if field.archived_at for name in (field.key, field.label)
        }
        self._order = [*declared, *(field for field in live if field.key not in entity.fields)]
        self.required_at_stages = [field for field in self._order if field.required_from]

    def __iter__(self) -> Iterator[Field]:
        return iter(self._order)

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def field(self, key: str) -> Field:
        """Return the field stored as `key`. Raises KeyError."""
        return self.fields[key]

    def find(self, name: str) -> Field | None:
        """Return the field called `name`: key, label, API name or alias, in any case, with or without [brackets]."""
        key = self._names.get(normal(name))
        return self.fields[key] if key else None

    def written(self, field: Field) -> str:
        """Return the label if find() resolves it to the field, otherwise the key."""
        return str(field.label) if self.find(field.label) == field else field.key

    def nearest(self, name: str) -> str:
        """Return the label or name closest to `name`; '' if none is close."""
        return nearest(name, [name for field in self for name in (str(field.label), *field.names())])

    def path(self, text: str) -> Path:
        """Parse a path of names separated by dots. Raises UnknownField."""
        return self.follow(split(text))

    def follow(self, names: list[str]) -> Path:
        """Return the path over these names. Raises UnknownField."""
        schema, fields = self, list[Field]()
        for position, name in enumerate(names):
            if whole := schema.find(".".join(names[position:])):  # a name may have a dot: stage.kind
                return Path(self.entity.name, (*fields, whole))
            field = schema.find(name)
            if field is None:
                raise UnknownField(schema, name, position)
            fields.append(field)
            if position + 1 < len(names):
                if not field.target:
                    raise UnknownField(schema, names[position + 1], position + 1, of=field)
                schema = schema_of(field.target)
        return Path(self.entity.name, tuple(fields))

    def linked(self, name: str) -> Field | None:
        """Return the to-many field called `name`, or the one to the entity of that name (opportunity)."""
        field = self.find(name)
        if field and field.type is FieldType.MANY:
            return field
        wanted = normal(name)
        for field in self:
            if field.type is FieldType.MANY:
                target = registry.get(field.target)
                labels = (target.label, target.plural)
                if wanted in map(fold, (target.name, *labels, *map(in_english, labels))):
                    return field
        return None


class UnknownField(KeyError):
    """No field called `name` (at `position` of a path) in `schema`; `of`: the field that is no link."""

    def __init__(self, schema: Schema, name: str, position: int, of: Field | None = None):
        super().__init__(name)
        self.schema, self.name, self.position, self.of = schema, name, position, of

    @property
    def suggestion(self) -> str:
        return "" if self.of else self.schema.nearest(self.name)

    @property
    def sentence(self) -> str:
        if self.of:
            sentence = _("“{link}” doesn’t link to a record, so it has no field “{name}”.")
            return sentence.format(link=self.of.label, name=self.name)
        if archived := self.schema.archived.get(normal(self.name)):
            return _("The field “{field}” is archived. An admin can restore it.").format(field=archived)
        entity, suggestion = self.schema.entity.label, self.suggestion
        if suggestion:
            sentence = _("{entity} has no field “{name}”. Did you mean “{suggestion}”?")
            return sentence.format(entity=entity, name=self.name, suggestion=suggestion)
        return _("{entity} has no field “{name}”.").format(entity=entity, name=self.name)

    def __str__(self):
        return self.sentence


def normal(name: str) -> str:
    """Normalize a name for lookup: without brackets and case, with single spaces."""
    name = name.strip()
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    return fold(" ".join(name.split()))


def split(text: str) -> list[str]:
    """Split a path into names: dots inside [brackets] belong to the name."""
    return [part.strip() for part in _PART.findall(text) if part.strip()] or [text]


def nearest(word: str, candidates: list[str]) -> str:
    """Return the candidate closest to `word`, or ''."""
    shown = {fold(candidate): candidate for candidate in reversed(candidates)}
    close = difflib.get_close_matches(normal(word), shown, n=1)
    return shown[close[0]] if close else ""


_schemas: dict[tuple[int, str, str], tuple[int, Schema]] = {}


def schema(entity_name: str) -> Schema:
    """Return the schema of an entity in the workspace in scope, with names in the active language.

    One statement if custom fields have changed, otherwise none. Raises KeyError for an unknown entity.
    """
    current = workspace()
    key = (current.pk, entity_name, active_language() or "")
    cached = _schemas.get(key)
    if cached and cached[0] == current.schema_version:
        return cached[1]
    fresh = Schema(registry.get(entity_name), list(CustomField.objects.filter(entity=entity_name)))
    _schemas[key] = (current.schema_version, fresh)
    return fresh


schema_of = schema
