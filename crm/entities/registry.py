"""Registry of entities. Upper apps add fields to those of lower ones."""

from dataclasses import dataclass, field
from functools import cached_property

from django.apps import apps
from django.db.models import Model
from django.urls import NoReverseMatch, reverse

from crm.entities.fields import Field
from crm.kit.registry import Registry
from crm.kit.text import fold


@dataclass
class Entity:
    """An entity: `name` (contact), its model, its labels, and its fields in display order.

    `title` is the key of the field that names a record, `public_id` the model field of its public id: links are written
    and matched by either. Its pages are below `path`, by default its name. `stage` is the key of the field with its
    stages, from which on custom fields can be required. Lists show records with initials, unless told otherwise.
    """

    name: str
    model_label: str
    label: str
    plural: str
    prefix: str
    fields: dict[str, Field] = field(default_factory=dict)
    title: str = "name"
    public_id: str = "public_id"
    path: str = ""
    stage: str = ""
    has_initials: bool = True

    def __post_init__(self) -> None:
        self.path = self.path or self.name

    @cached_property
    def model(self):
        return apps.get_model(self.model_label)

    @property
    def title_path(self) -> str:
        """The ORM path of the title: a lead's is its contact's name."""
        return self.fields[self.title].column()

    def url_of(self, public_id: str) -> str:
        """Return the URL of a record's page; '' for a kind without pages."""
        try:
            return reverse(self.name, args=[public_id])
        except NoReverseMatch:
            return ""

    def add(self, *fields: Field) -> None:
        """Declare fields. Raises ValueError for a duplicate name: keys, labels and aliases share a namespace."""
        for item in fields:
            taken = self.names()
            for name in item.names():
                if fold(name) in taken:
                    raise ValueError(f"{self.name} already has a field {name}: {taken[fold(name)]}.")
            self.fields[item.key] = item

    def names(self) -> dict[str, str]:
        """Map every declared name, folded, to the key of its field."""
        return {fold(name): field.key for field in self.fields.values() for name in field.names()}

    def has_custom_fields(self) -> bool:
        """Return whether admins may add fields: the model has a JSON column called custom."""
        return any(column.name == "custom" for column in self.model._meta.fields)


_entities: Registry[Entity] = Registry("entity")


def register(entity: Entity) -> Entity:
    """Register an entity and return it. Raises ValueError for a duplicate name."""
    return _entities.add(entity.name, entity)


def get(name: str) -> Entity:
    """Return the entity called `name`. Raises KeyError."""
    return _entities[name]


# Why: docs/decisions/0002-entity-names-and-paths.md
def entity_of(model: type[Model]) -> str:
    """Return the name of the entity of a model, which may differ from the model's own."""
    return next(entity.name for entity in _entities.values() if entity.model_label == model._meta.label)


def all_entities() -> list[Entity]:
    return list(_entities.values())
