"""Form fields of entities' fields. Each cleans to the value of parse_value()."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any

from django import forms

from crm.entities import registry
from crm.entities.fields import Choice, Field, FieldType
from crm.entities.people import members, teams
from crm.entities.sql import orm_value
from crm.entities.values import MAX_TEXT, normalize_text, parse_value, zone
from crm.kit import formats
from crm.kit.errors import Invalid
from crm.kit.text import LONGEST
from crm.kit.translation import gettext as _


def form_field(field: Field) -> forms.Field:
    """Return a form field with label, help and widget of `field`. Raises ValueError for one without a single value."""
    if field.type not in _FIELDS:
        raise ValueError(f"{field.key} stands for rows and cannot be typed in.")
    make = _FIELDS[field.type]
    return make(field, {"label": field.label, "help_text": field.help, "required": field.required})


class ParsedField(forms.CharField):
    """A text input in the syntax of imports and conditions: 50%, a person's name, a record's id."""

    def __init__(self, field: Field, **kwargs):
        self.field = field
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        try:
            return parse_value(self.field, super().to_python(value) or "")
        except Invalid as error:
            raise forms.ValidationError(str(error)) from None


class NumberField(forms.DecimalField):
    """A number in the member's formats: 48000,50 in German, also with thousands as in 48.000."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(formats.read_number(value) if isinstance(value, str) else value)

    def prepare_value(self, value: Any) -> Any:
        least = 2 if self.decimal_places == 2 else 0  # cents
        return formats.typed(value, least) if isinstance(value, int | float | Decimal) else value


class PercentField(ParsedField):
    """Shows 0.5 as 50%."""

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        return super().to_python(f"{formats.read_number(text[:-1])}%" if text.endswith("%") else text)

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else f"{formats.typed(value * 100)}%"


class InstantField(ParsedField):
    """A date and time in the workspace's time zone, independent of the process's."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else value.astimezone(zone()).replace(tzinfo=None)

    def has_changed(self, initial: Any, data: Any) -> bool:
        shown = self.widget.format_value(self.prepare_value(initial)) or ""
        return shown != (data or "")


class LinkField(ParsedField):
    """A record of another entity, entered by name or public id, shown as "Fleetly (org_Nw8rTxJv1)"."""

    def to_python(self, value: Any) -> Any:
        # As entered: only the verb knows the actor's visible records.
        return normalize_text(self.field, forms.CharField.to_python(self, value) or "") or None

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        entity = registry.get(self.field.target)
        title = orm_value(entity.fields[entity.title])
        row = entity.model.objects.filter(pk=value).values_list(title, entity.public_id).first()
        return f"{row[0]} ({row[1]})" if row else ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "")


def _text(field: Field, common: dict) -> forms.Field:
    return forms.CharField(max_length=MAX_TEXT if field.custom else None, empty_value=None, **common)


def _long_text(field: Field, common: dict) -> forms.Field:
    return forms.CharField(max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4}), **common)


def _phone(field: Field, common: dict) -> forms.Field:
    return forms.CharField(widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}), **common)


def _number(field: Field, common: dict) -> forms.Field:
    return NumberField(max_digits=21, decimal_places=6, widget=number_input(), **common)


def _money(field: Field, common: dict) -> forms.Field:
    return NumberField(max_digits=17, decimal_places=2, widget=number_input(), **common)


def number_input() -> forms.Widget:
    """Return the input of a number."""
    # Not type=number: browsers change it on scrolling, and hide invalid input.
    return forms.TextInput(attrs={"inputmode": "decimal"})


def _date(field: Field, common: dict) -> forms.Field:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(widget=widget, input_formats=["%Y-%m-%d"], **common)


def _yes_no(field: Field, common: dict) -> forms.Field:
    choices = [("", "—"), ("yes", _("Yes")), ("no", _("No"))]
    return YesNoField(choices=choices, **common)


class YesNoField(forms.TypedChoiceField):
    """Yes, no, or empty."""

    def __init__(self, **kwargs):
        super().__init__(coerce=lambda value: value == "yes", empty_value=None, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return {True: "yes", False: "no"}.get(value, value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "")


def _select(field: Field, common: dict) -> forms.Field:
    return forms.TypedChoiceField(choices=[("", "—"), *form_choices(field.choices)], empty_value=None, **common)


def _multi_select(field: Field, common: dict) -> forms.Field:
    return forms.MultipleChoiceField(choices=form_choices(field.choices), widget=forms.CheckboxSelectMultiple, **common)


def form_choices(choices: Iterable[Choice]) -> list[tuple[str, Any]]:
    """Return choices as a form field takes them, under the headings of their groups if there are several."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for choice in choices:
        groups.setdefault(choice.group, []).append((choice.value, choice.label))
    return list(groups.items()) if len(groups) > 1 else list(chain(*groups.values()))


def _person(field: Field, common: dict) -> forms.Field:
    """Return a select whose choices load with the form, for the workspace in scope."""
    directory = members if field.type is FieldType.USER else teams

    @cache  # Django evaluates choices twice per select
    def choices():
        return [("", "—"), *sorted(((row.pk, row.label) for row in directory().rows.values()), key=lambda c: c[1])]

    return forms.TypedChoiceField(choices=choices, coerce=int, empty_value=None, **common)


def _parsed(kind: type[ParsedField], **attrs) -> Any:
    def make(field: Field, common: dict) -> forms.Field:
        made = kind(field, **common)
        made.widget.attrs.update(attrs, **({"data-entity": field.target} if field.target else {}))
        return made

    return make


_FIELDS = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _long_text,
    FieldType.EMAIL: lambda field, common: forms.EmailField(**common),
    FieldType.PHONE: _phone,
    FieldType.URL: lambda field, common: forms.URLField(assume_scheme="https", **common),
    FieldType.NUMBER: _number,
    FieldType.PERCENT: _parsed(PercentField),
    FieldType.MONEY: _money,
    FieldType.DATE: _date,
    FieldType.DATETIME: _parsed(InstantField),
    FieldType.YES_NO: _yes_no,
    FieldType.SELECT: _select,
    FieldType.MULTI_SELECT: _multi_select,
    FieldType.USER: _person,
    FieldType.TEAM: _person,
    FieldType.LINK: _parsed(LinkField, autocomplete="off"),
}
