"""The entities of the product. Apps register theirs; upper apps add fields to those of lower ones."""

from dataclasses import dataclass, field

from django.apps import apps

from crm.entities.fields import Field


@dataclass
class Entity:
    """A kind of record: `name` (contact), its model, its labels, and its fields in the order they are shown."""

    name: str
    model_label: str
    label: str
    plural: str
    prefix: str
    fields: dict[str, Field] = field(default_factory=dict)

    @property
    def model(self):
        """The Django model behind the entity."""
        return apps.get_model(self.model_label)

    def add(self, *fields: Field) -> None:
        """Declare fields; a key that is already declared raises ValueError."""
        for item in fields:
            if item.key in self.fields:
                raise ValueError(f"{self.name} already has a field {item.key}.")
            self.fields[item.key] = item


_entities: dict[str, Entity] = {}


def register(entity: Entity) -> Entity:
    """Make an entity known under its name; returns it."""
    _entities[entity.name] = entity
    return entity


def get(name: str) -> Entity:
    """The entity called `name`. Raises KeyError."""
    return _entities[name]


def all_entities() -> list[Entity]:
    """Every registered entity, in the order of registration."""
    return list(_entities.values())
