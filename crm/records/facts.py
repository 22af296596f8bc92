"""The facts of a record's page: labels and values, editable in place."""

from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from crm.entities.addresses import label_html
from crm.entities.fields import Field, FieldType
from crm.entities.registry import entity_of, get
from crm.entities.values import read_custom_value
from crm.kit.templatetags.frame import icon
from crm.kit.translation import gettext
from crm.lists.columns import column, resolve
from crm.records.forms import editable_fields
from crm.records.models import Record

# Shown in the page's head, or beside another fact.
ELSEWHERE = {"name", "lifecycle_stage", "next_step", "email_label", "phone_label"}
# Set by events: shown if they have a value, not editable.
FOLLOWING = ("last_engagement", "last_activity")
IN_PLACE = (
    '<div class="fact"><span class="fact-value">{value}</span><a class="fact-edit" href="{url}" hx-get="{url}"'
    ' hx-target="closest .fact" hx-swap="outerHTML" aria-label="{label}">{pencil}</a></div>'  # not a text
)


@dataclass(frozen=True)
class Fact:
    """One field of a record, and its edit URL."""

    field: Field
    value: SafeString
    url: str

    @property
    def in_place(self) -> SafeString:
        """The value with its link to edit it in place. In Python: a template took three times as long."""
        label = gettext("Edit %(field)s") % {"field": self.field.label}
        return format_html(IN_PLACE, value=self.value, url=self.url, label=label, pencil=icon("pencil"))


def facts(entity: str, record: Record) -> dict[str, list[Fact]]:
    """Return the facts with a value, the empty ones, and custom fields. Declared links must be loaded."""
    found = [fact(record, field) for field in editable_fields(entity) if field.custom or field.key not in ELSEWHERE]
    declared = [item for item in found if not item.field.custom]
    return {
        "filled": [item for item in declared if _raw(record, item.field) not in (None, "")],
        "empty": [item for item in declared if _raw(record, item.field) in (None, "")],
        "custom": [item for item in found if item.field.custom],
        "following": [fact(record, field) for field in _following(entity) if _raw(record, field) is not None],
    }


def _following(entity: str) -> list[Field]:
    fields = get(entity).fields
    return [fields[key] for key in FOLLOWING if key in fields]


def fact(record: Record, field: Field) -> Fact:
    """Return one field of a record, formatted like a list cell."""
    shown, values = column(get(entity_of(type(record))), field), [_values(record, field)]
    if values[0][0] is not None:
        resolve([shown], [values])
    written = shown.cell(values[0], record.public_id)
    written += label_html(getattr(record, f"{field.key}_label", ""))  # of an email or phone
    url = f"{record.get_absolute_url()}/field/{field.key}"  # the route, thirty times a page: reverse() took 2 ms
    return Fact(field, mark_safe(written), url)  # noqa: S308 (the cell escapes what it shows)


def _raw(record: Record, field: Field) -> Any:
    return record.custom.get(field.key) if field.custom else getattr(record, field.column())


def _values(record: Record, field: Field) -> list:
    value = _raw(record, field)
    if value is None or field.custom:
        return [read_custom_value(field, value) if field.custom else None, None]
    if field.type is FieldType.USER:
        return [value.user.name, value.user.email]
    if field.type is FieldType.LINK:
        return [str(value), value.public_id]
    if field.currency:
        return [value, getattr(record, field.currency)]
    return [str(value) if field.type is FieldType.TEAM else value]
