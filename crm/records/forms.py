"""Record forms, built from declared and custom fields, and verbs' forms."""

from copy import copy
from typing import Any

from django import forms
from django.forms.widgets import ChoiceWidget
from django.http import QueryDict

from audit import values as audited
from crm.entities.addresses import AddressList
from crm.entities.fields import Field, FieldType
from crm.entities.forms import form_choices, form_field
from crm.entities.people import members, teams
from crm.entities.schema import schema
from crm.entities.values import read_custom_value
from crm.kit.actor import Actor, Role
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis, Move, Reason
from crm.lists.imports.mapping import choices
from crm.lists.models import ImportRun, OnMatch
from crm.records.models import Record
from crm.records.validation import storage_key
from crm.users.models import Team

PEOPLE = frozenset({FieldType.USER, FieldType.TEAM})


def editable_fields(entity: str) -> list[Field]:
    return [field for field in schema(entity) if field.editable and field.type is not FieldType.MANY]


def current(record: Record, field: Field) -> Any:
    """Return a field's current value, typed for forms and verbs."""
    value = audited.read_value(record, storage_key(field))
    return read_custom_value(field, value) if field.custom else value


class RecordForm(forms.Form):
    """All editable fields of an entity, or those in `keys`, showing `record`.

    `also`: fields set only on creation, e.g. a lead's contact.
    """

    def __init__(
        self, entity: str, *args, record: Record | None = None, keys: tuple[str, ...] = (), also: tuple = (), **kwargs
    ):
        self.keys = keys
        known = [*(schema(entity).fields[key] for key in also), *editable_fields(entity)]
        self.declared = [field for field in known if not keys or field.key in keys]
        super().__init__(*args, **kwargs)
        for field in self.declared:
            self.fields[field.key] = form_field(field)
            # A contact needs a name or an email: the verb checks that, for all channels.
            self.fields[field.key].required = field.required and field.key != "name"
            if field.items and not keys:
                self.fields[field.key].widget = AddressList(field.items)
                self.fields[field.key].help_text = ""
            if field.key == "timezone":
                self.fields[field.key].widget.attrs["data-entity"] = "timezone"
            if record is not None:
                self.initial.setdefault(field.key, current(record, field))
                _offer_present(self.fields[field.key], record, field)


def _offer_present(made: forms.Field, record: Record, field: Field) -> None:
    """Add the record's current value to the choices if missing, e.g. a former owner, so that saving keeps it."""
    if not isinstance(made, forms.ChoiceField) or not isinstance(made.widget, ChoiceWidget):
        return
    value = current(record, field)
    held = [each for each in (value if isinstance(value, list) else [value]) if each not in (None, "", True, False)]
    choices = list(made.widget.choices)
    known = {str(choice) for choice, _ in choices}
    gone = [each for each in held if str(each) not in known]
    label = gettext("{name} (no longer available)")
    also = [(each, label.format(name=_name(record, field, each))) for each in gone]
    made.choices = [*choices, *also]  # one read: members and teams come from the database


def _name(record: Record, field: Field, value: Any) -> str:
    return str(getattr(record, field.key)) if field.type in PEOPLE and not field.custom else str(value)


class NewForm(RecordForm):
    """A new record; with `axis` also its initial value, which later changes only by moves."""

    def __init__(self, entity: str, *args, axis: Axis | None = None, **kwargs):
        super().__init__(entity, *args, **kwargs)
        self.axis = axis
        if axis:
            self.fields[axis.field] = forms.ChoiceField(
                label=axis.label,
                choices=form_choices(choice for choice in axis.values if axis.may_start(choice.value)),
                initial=axis.values[0].value,
                required=False,
                help_text=axis.start_help,
            )

    def start(self) -> dict[str, str]:
        """Return the verb's argument for the initial stage, if chosen."""
        chosen = self.cleaned_data.get(self.axis.field) if self.axis else ""
        return {"stage": chosen} if chosen else {}

    def values(self) -> dict[str, Any]:
        filled = {key: value for key, value in self.cleaned_data.items() if value not in (None, "", [])}
        return {key: value for key, value in filled.items() if not self.axis or key != self.axis.field}


class BaseForm(forms.Form):
    """The values of `record` shown when `form` was opened, as hidden fields, to detect concurrent changes.

    Users cannot correct hidden values, so none is rejected: invalid ones are kept as sent.
    """

    def __init__(self, form: RecordForm, record: Record, data: QueryDict | None = None):
        shown = {field.key: current(record, field) for field in form.declared}
        super().__init__(data, prefix="base", initial=shown)
        for key in shown:
            self.fields[key] = field = copy(form.fields[key])
            field.required, field.widget = False, field.hidden_widget()

    def seen(self) -> dict[str, Any]:
        """Return the typed values; an invalid one becomes the record's own if still equal."""
        self.full_clean()
        for key in set(self.errors) & self.fields.keys():
            sent = self[key].data
            self.cleaned_data[key] = sent if key in self.changed_data else self.initial[key]
        return self.cleaned_data


def reason_field(label: str = _("Reason"), **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), **options)


class ReasonForm(forms.Form):
    """A reason."""

    reason = reason_field()


class OnlyChoice(forms.CharField):
    """A target that nobody is asked for."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> str:
        return self.initial


def move_form(axis: Axis, move: Move, here: str = "") -> type[forms.Form]:
    """Return the form of a move from `here`: the target, if there are several, and a reason, if wanted."""
    asked: dict[str, forms.Field] = {}
    targets = axis.reachable(move, here) if here and not move.target else []
    if len(targets) > 1:
        asked["to"] = forms.ChoiceField(label=axis.label, choices=form_choices(targets), initial=targets[-1].value)
    elif targets:
        asked["to"] = OnlyChoice(initial=targets[0].value)
    if move.reason != Reason.NO:
        asked["reason"] = reason_field(required=move.reason == Reason.REQUIRED)
    return type("MoveForm", (forms.Form,), asked)


# The initial choice for many records, so that Enter alone changes nothing.
CHOOSE = ("", _("Choose…"))
UNASSIGNED = "none"


def assign_form(by: Actor) -> type[forms.Form]:
    """Return the form: owner, and optionally team."""
    people = sorted(((pk, row.label) for pk, row in members().rows.items()), key=lambda c: c[1])
    owners = [CHOOSE, *people, (UNASSIGNED, gettext("Unassigned"))]
    keep = [("keep", gettext("Keep current team")), ("", gettext("No team"))]
    groups = [*keep, *((pk, row.label) for pk, row in teams().rows.items())]

    class AssignForm(forms.Form):
        owner = forms.TypedChoiceField(
            label=_("Owner"),
            choices=owners,
            coerce=lambda value: None if value == UNASSIGNED else int(value),
            error_messages={"required": _("Choose an owner.")},
        )
        team = forms.ChoiceField(label=_("Team"), choices=groups, required=False, initial="keep")

    return AssignForm


class BulkEditForm(forms.Form):
    """A field, then its new value. Two steps, for the right input; both work without scripts."""

    entity = ""
    field = forms.ChoiceField(label=_("Field"))

    def __init__(self, data=None):
        super().__init__(data)
        unique = ("name", "email", "domain", "other_domains", "external_id")
        offered = {field.key: field for field in editable_fields(self.entity) if field.key not in unique}
        self.fields["field"].choices = [CHOOSE, *((key, item.label) for key, item in offered.items())]
        self.submit = gettext("Next")
        if chosen := offered.get(self.data.get("field")):
            self._ask_for(chosen)

    def _ask_for(self, chosen: Field) -> None:
        self.submit = ""
        self.fields["field"].widget = forms.HiddenInput()
        self.fields["asked"] = forms.CharField(widget=forms.HiddenInput(attrs={"value": "1"}), required=False)
        self.fields["value"] = form_field(chosen)
        self.fields["value"].required = False
        self.fields["clear"] = forms.BooleanField(label=_("Clear field"), required=False)

    def _is_answered(self) -> bool:
        return bool({"asked", "value"} & self.data.keys())

    def is_valid(self) -> bool:
        return self._is_answered() and super().is_valid()

    def clean(self) -> dict[str, Any]:
        """Require the explicit option to clear a field."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("clear"):
            cleaned["value"] = ""
        elif self._is_answered() and "value" in cleaned and cleaned["value"] in (None, "", []):
            self.add_error("value", gettext("Enter a value, or select “Clear field”."))
        return cleaned


def bulk_edit_form(entity: str):
    class Form(BulkEditForm):
        pass

    Form.entity = entity
    return lambda by: Form


def delete_form(by: Actor) -> type[forms.Form]:
    """Return the form: the reason for deletion."""

    class DeleteForm(forms.Form):
        reason = forms.CharField(
            label=_("Reason"), max_length=1000, help_text=_("Visible to anyone who can see the record.")
        )

    return DeleteForm


def no_form(by: Actor) -> type[forms.Form]:
    return forms.Form


MAX_UPLOAD = 20  # MB


class UploadForm(forms.Form):
    """A file to import."""

    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}))

    def clean_file(self):
        if self.cleaned_data["file"].size > MAX_UPLOAD << 20:
            raise forms.ValidationError(gettext("Files can be up to {count} MB.").format(count=MAX_UPLOAD))
        return self.cleaned_data["file"]


class MappingForm(forms.Form):
    """The mapping of columns to fields, and the treatment of existing records."""

    on_match = forms.ChoiceField(
        label=_("If a record already exists"), choices=OnMatch.choices, widget=forms.RadioSelect
    )

    def __init__(self, entity: str, header: list[str], run: ImportRun, by: Actor, data: QueryDict | None = None):
        super().__init__(data, initial={"on_match": run.on_match}, label_suffix="")
        self.width = len(header)
        fed = {column: path for column, path in reversed(run.mapping)}
        fields = [("", gettext("Don’t import")), *((path.key, path.label) for path in choices(entity))]
        for column, name in enumerate(header):
            label = gettext("Field for {column}") if name else gettext("Field for column {number}")
            label = label.format(column=name, number=column + 1)
            self.fields[f"column_{column}"] = forms.ChoiceField(
                label=label, choices=fields, required=False, initial=fed.get(column, "")
            )
        if by.is_at_least(Role.MANAGER):
            self.fields["override_reason"] = forms.CharField(
                label=_("Stage override reason"),
                required=False,
                max_length=1000,
                initial=run.override_reason,
                help_text=_(
                    "Enter a reason to bypass stage rules for existing records. This is flagged in the audit log."
                ),
            )

    def columns(self) -> list:
        return [self[f"column_{column}"] for column in range(self.width)]

    def clean(self) -> dict:
        """Add the chosen (column, path) pairs as `mapping`."""
        super().clean()
        cleaned = self.cleaned_data
        pairs = [(column, cleaned.get(f"column_{column}", "")) for column in range(self.width)]
        return cleaned | {"mapping": [pair for pair in pairs if pair[1]]}


class ArchiveTeamForm(forms.Form):
    """Where the records and the members of a team go."""

    to = forms.ChoiceField(label=_("Move its records to"))
    members_to = forms.ChoiceField(label=_("Move its members to"), initial=UNASSIGNED)

    def __init__(self, *args: Any, team: Team, **kwargs: Any):
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        self._others = {str(other.pk): other for other in Team.objects.live().exclude(pk=team.pk).order_by("name")}
        teams = [(pk, other.name) for pk, other in self._others.items()]
        nowhere = {"to": _("No team: everyone sees the records"), "members_to": _("No team")}
        for name, label in nowhere.items():
            choices = [("", _("Choose a team")), *teams, (UNASSIGNED, label)]
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def targets(self) -> dict[str, Team | None]:
        """Return the chosen teams by field; None for no team."""
        return {name: self._others.get(value) for name, value in self.cleaned_data.items()}
