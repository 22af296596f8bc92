"""The form of a custom field on its settings page."""

from collections.abc import Iterable
from typing import Any

from django import forms

from crm.entities import registry
from crm.entities.fields import Choice, FieldType
from crm.entities.forms import form_choices
from crm.entities.models import TONES, TYPE_LABELS, CustomField
from crm.entities.schema import schema
from crm.kit.text import search_key
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy

TYPES = [(type.value, label) for type, label in TYPE_LABELS.items()]


class FieldForm(forms.Form):
    """What admins say about a field. What values are stored by (type, key, linked record type) is asked for once."""

    label = forms.CharField(label=_("Label"), max_length=80)
    type = forms.ChoiceField(label=_("Type"), choices=TYPES)
    target = forms.ChoiceField(label=_("Linked record type"), required=False)
    key = forms.CharField(
        label=pgettext_lazy("field", "Key"),
        max_length=40,
        required=False,
        help_text=_("The name in queries and imports. Leave it blank to use the label, e.g. fleet_size."),
    )
    help = forms.CharField(
        label=_("Help text"), max_length=200, required=False, help_text=_("Shown below the field in forms.")
    )
    required = forms.BooleanField(
        label=_("Required"), required=False, help_text=_("Forms can’t be saved without a value. Imports can.")
    )
    required_from = forms.MultipleChoiceField(
        label=_("Required from stage"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Records can’t move to this stage or a later one without a value. Choose one per pipeline."),
    )
    position = forms.IntegerField(
        label=_("Order"), min_value=0, max_value=10_000, required=False, help_text=_("Fields with lower numbers first.")
    )

    def __init__(self, *args: Any, field: CustomField, **kwargs: Any):
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        linkable = [(each.name, each.label) for each in registry.all_entities() if each.path]
        self.fields["target"].choices = [("", "—"), *linkable]  # type: ignore[attr-defined]
        self.initial = {name: getattr(field, name) for name in self.fields}
        stages = stages_of(field.entity)
        self.fields["required_from"].choices = form_choices(stages)  # type: ignore[attr-defined]
        if not stages:
            del self.fields["required_from"]
        if field.pk:
            for name in ("type", "target", "key"):
                del self.fields[name]

    def fill(self, field: CustomField, options: list[dict[str, Any]]) -> None:
        """Put what was entered into `field`; `options` in their order."""
        for name, value in self.cleaned_data.items():
            setattr(field, name, value)
        field.position = field.position or 0
        field.key = field.key or key_of(field.label)
        has_options = field.type in (FieldType.SELECT, FieldType.MULTI_SELECT)
        field.target = field.target if field.type == FieldType.LINK else ""
        field.choices = [_option(row) for row in options if row.get("label")] if has_options else []


class ConversionForm(forms.Form):
    """The new type of a field, and the digest of the losses that the preview showed."""

    type = forms.ChoiceField(label=_("New type"))
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, types: Iterable[FieldType], **kwargs: Any):
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        self.fields["type"].choices = [(type.value, TYPE_LABELS[type]) for type in types]  # type: ignore[attr-defined]


class OptionForm(forms.Form):
    """One option of a select field; one without a label is dropped."""

    value = forms.CharField(required=False, widget=forms.HiddenInput)
    label = forms.CharField(label=_("Label"), max_length=80, required=False)
    tone = forms.ChoiceField(label=_("Color"), choices=[("", _("No color")), *TONES.items()], required=False)


OptionFormSet = forms.formset_factory(OptionForm, extra=3, can_order=True, max_num=300, absolute_max=300)


def stages_of(entity: str) -> list[Choice]:
    """Return the stages from which on a field of an entity can be required."""
    known = {each.name: each for each in registry.all_entities()}.get(entity)
    found = schema(entity).field(known.stage).choices if known and known.stage else ()
    return [stage for stage in found if not stage.ends_it]


def key_of(label: str) -> str:
    """A key made from a label: “Fleet size” becomes fleet_size."""
    words = "_".join("".join(sign if sign.isascii() and sign.isalnum() else " " for sign in search_key(label)).split())
    return (words if words[:1].isalpha() else f"field_{words}".rstrip("_"))[:40].rstrip("_")


def _option(row: dict[str, Any]) -> dict[str, str]:
    label = " ".join(row["label"].split())
    option = {"value": row["value"] or search_key(label).replace(" ", "_"), "label": label}
    return option | ({"tone": row["tone"]} if row["tone"] else {})
