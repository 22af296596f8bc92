"""What a conversion would do to all values of a custom field."""

import hashlib
import json
import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Count, Min, QuerySet

from audit.values import CustomDiffers, CustomFieldExpression
from crm.entities import registry
from crm.entities.conversions import LONGEST_OPTION, OFFERED, OPTIONS, Conversion, as_text
from crm.entities.display import Names, names_for, shown
from crm.entities.fields import Field, FieldType
from crm.entities.models import TYPE_LABELS, CustomField
from crm.entities.values import number
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.text import fold, normalize_line, search_key
from crm.kit.translation import gettext as _

MOST_VALUES = 100_000  # records with a value: one transaction converts them all
MOST_OPTIONS = 100
EXAMPLES = 10


@dataclass(frozen=True)
class Held:
    """A distinct value, the number of records that have it, and one of them."""

    value: Any
    count: int
    first: int


@dataclass(frozen=True)
class Example:
    """What becomes of the value of a record. `new` is '' and `why` the reason if it is lost."""

    record: str
    url: str
    old: str
    new: str
    why: str


@dataclass
class Survey:
    """What becomes of all values of a field. `changes` are those of the field itself."""

    custom: CustomField
    changes: dict[str, Any]
    conversion: Conversion
    held: Sequence[Held] = field(repr=False)

    @cached_property
    def kept(self) -> list[Held]:
        return [each for each in self.held if self.conversion.of(each.value).new is not None]

    @cached_property
    def losses(self) -> list[Held]:
        return [each for each in self.held if self.conversion.of(each.value).why]

    @property
    def total(self) -> int:
        return self.converted + self.lost

    @property
    def converted(self) -> int:
        return sum(each.count for each in self.kept)

    @property
    def lost(self) -> int:
        return sum(each.count for each in self.losses)

    @property
    def seen(self) -> str:
        """Return a digest of what would be lost, '' for nothing: an admin confirms exactly that."""
        losses = sorted((json.dumps(each.value), each.count) for each in self.losses)
        return hashlib.sha256(json.dumps(losses).encode()).hexdigest()[:32] if losses else ""

    def examples(self, by: Actor) -> tuple[list[Example], list[Example]]:
        """Return examples of converted and of lost values on records that `by` may see, the most frequent first."""
        return self._examples(self.kept, by), self._examples(self.losses, by)

    def _examples(self, held: Sequence[Held], by: Actor) -> list[Example]:
        often = sorted(held, key=lambda each: (-each.count, each.first))[:EXAMPLES]
        named = named_records(self.custom.entity, [each.first for each in often], by)
        return [self._example(each, *named[each.first]) for each in often if each.first in named]

    def _example(self, each: Held, record: str, url: str) -> Example:
        became, names = self.conversion.of(each.value), self.conversion.names
        new = "" if became.why else shown(self.conversion.new, became.new, names)
        return Example(record, url, shown(self.conversion.old, each.value, names), new, became.why)


def named_records(kind: str, keys: Sequence[int], by: Actor) -> dict[int, tuple[str, str]]:
    """Map the keys of those records that `by` may see to name and URL."""
    entity = registry.get(kind)
    rows = entity.model.objects.filter(pk__in=keys)
    rows = rows.visible_to(by) if hasattr(rows, "visible_to") else rows
    found = rows.values_list("pk", entity.title_path, entity.public_id)
    return {pk: (str(title or public_id), entity.url_of(public_id)) for pk, title, public_id in found}


def types_for(custom: CustomField) -> list[FieldType]:
    """Return the types that a field can be converted to."""
    return list(OFFERED.get(FieldType(custom.type), ()))


def survey(custom: CustomField, to: FieldType) -> Survey:
    """Read all values of a field, and convert them in memory. Raises Refused for a conversion that can't be made."""
    if to not in types_for(custom):
        sentence = _("A field of the type {type} can’t be converted to {new}.")
        raise Refused(sentence.format(type=custom.get_type_display(), new=TYPE_LABELS[to]))
    old, held = custom.declaration(), _held(custom)
    names = names_for(custom.entity, ({custom.key: each.value} for each in held))
    choices = _choices(custom, held, names, to)
    changes = {"type": to.value, "choices": choices, "target": ""}
    return Survey(custom, changes, Conversion(old, with_changes(custom, changes), names), held)


def with_changes(custom: CustomField, changes: dict[str, Any]) -> Field:
    """Return the declaration that a field would have with these changes."""
    changed = copy(custom)
    for key, value in changes.items():
        setattr(changed, key, value)
    return changed.declaration()


def rows_with_value(custom: CustomField) -> QuerySet:
    """Return the records with a value, those in the trash too."""
    return registry.get(custom.entity).model.objects.filter(CustomDiffers(custom.key, None)).order_by()


def _held(custom: CustomField) -> list[Held]:
    rows = rows_with_value(custom)
    if rows[: MOST_VALUES + 1].count() > MOST_VALUES:
        sentence = _("More than {count} records have a value. The type of so many values can’t be converted.")
        raise Refused(sentence.format(count=formats.number(MOST_VALUES)))
    found = rows.values_list(CustomFieldExpression(custom.key)).annotate(Count("pk"), Min("pk"))
    return [Held(*row) for row in found]


def _choices(custom: CustomField, held: Sequence[Held], names: Names, to: FieldType) -> list[dict[str, Any]]:
    """Return the options of a new select field: those it has, or one for each distinct text."""
    if to not in OPTIONS:
        return []
    if custom.choices:
        return custom.choices
    found: dict[str, str] = {}
    for each in sorted(held, key=lambda each: (-each.count, each.first)):  # the most frequent spelling names the option
        for text in _option_texts(custom.declaration(), each.value, names, to):
            found.setdefault(fold(text), text)
        if len(found) > MOST_OPTIONS:
            sentence = _("{field} has more than {count} different values, which is too many for options.")
            raise Refused(sentence.format(field=custom.label, count=formats.number(MOST_OPTIONS)))
    if not found:
        raise Refused(_("{field} has no values that could become options.").format(field=custom.label))
    return [{"value": text, "label": text} for text in sorted(found.values(), key=_place)]


def _option_texts(old: Field, value: Any, names: Names, to: FieldType) -> list[str]:
    text = normalize_line(as_text(old, value, names)) if value not in (None, "", []) else ""
    parts = re.split("[;,]", text) if to is FieldType.MULTI_SELECT else [text]
    return [part.strip() for part in parts if part.strip().isprintable() and 0 < len(part.strip()) <= LONGEST_OPTION]


def _place(text: str) -> tuple[bool, Decimal, str]:
    """Sort options by number, then by name."""
    try:
        return False, number(text), ""
    except ValueError:
        return True, Decimal(), search_key(text)
