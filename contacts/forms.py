"""Forms for the verbs of contacts and activities."""

from collections.abc import Iterable

from django import forms

from contacts.models import Activity
from crm.kit import clock
from crm.kit.text import LONGEST
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy
from crm.users.models import Membership

OFFERED = ("note", "call", "email", "meeting", "task")  # kinds of activity, most frequent first


OUTCOMES = [("", _("Choose an outcome")), *Activity.OUTCOMES]
REMINDERS = [("", _("No reminder")), *Activity.REMINDERS]
REPEATS = [("", _("Doesn’t repeat")), *Activity.REPEATS]


def moment_field(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(required=False, label=label, widget=widget)


class CompleteForm(forms.Form):
    """Outcome and time of a planned call."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=OUTCOMES)
    occurred_at = moment_field(_("When"))


class FreeMailForm(forms.Form):
    """The workspace's own free email domains."""

    domains = forms.CharField(
        label=_("Further domains"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
        help_text=_("One per line, e.g. the domain of a local internet provider."),
    )


WORDLESS = ("call", "email", "meeting")  # kinds that need no text


def contact_form_field(label: str, required: bool = False) -> forms.CharField:
    """Return the field of a contact, by name or public id, with suggestions."""
    return forms.CharField(
        label=label,
        required=required,
        widget=forms.TextInput(attrs={"data-entity": "contact", "autocomplete": "off"}),
    )


class ParticipantForm(forms.Form):
    """A contact to add to an activity."""

    contact = contact_form_field(_("Contact"), required=True)


class ActivityForm(forms.ModelForm):
    """The activity form, for completed and planned activities."""

    occurred_at = moment_field(_("When"))
    due_at = moment_field(_("Due"))
    participant = contact_form_field(_("Also with"))
    outcome = forms.ChoiceField(required=False, label=_("Outcome"), choices=OUTCOMES)
    reminder = forms.ChoiceField(required=False, label=_("Reminder"), choices=REMINDERS)
    repeats = forms.ChoiceField(required=False, label=_("Repeats"), choices=REPEATS)

    class Meta:
        model = Activity
        fields = ["kind", "subject", "body", "occurred_at", "due_at", "reminder", "repeats", "priority", "minutes"]
        fields += ["outcome", "sender", "recipients"]
        labels = {
            "kind": _("Activity type"),
            "subject": _("Subject"),
            "body": _("Text"),
            "priority": _("Priority"),
            "minutes": _("Duration (min)"),
            "sender": pgettext_lazy("email", "From"),
            "recipients": pgettext_lazy("email", "To"),
        }
        widgets = {"body": forms.Textarea(attrs={"rows": 3, "data-mention": ""}), "recipients": forms.TextInput()}

    def __init__(
        self,
        *args,
        near: Iterable[Membership] | None = None,
        opportunities: Iterable[tuple[int, str]] = (),
        **kwargs,
    ):
        """Limit the offered assignees to `near`, if given. `opportunities` are (primary key, name)."""
        super().__init__(*args, **kwargs)
        self.fields["subject"].required = False
        self.fields["priority"].required = False
        offered = list(opportunities)
        if offered:
            self.fields["opportunity"] = forms.TypedChoiceField(
                label=_("Opportunity"),
                choices=[("", "—"), *offered],
                coerce=int,
                empty_value=None,
                required=False,
                initial=self.instance.opportunity_id,
            )
        if near is None:
            near = Membership.objects.active().select_related("user").order_by("user__name", "pk")
        self.fields["assignee"] = forms.TypedChoiceField(
            label=_("Assignee"),
            choices=[("", _("Unassigned") if self.instance.pk else _("Me")), *((each.pk, str(each)) for each in near)],
            coerce=int,
            empty_value=None,
            required=False,
            initial=self.instance.assignee_id,
        )
        labels = dict(Activity._meta.get_field("kind").flatchoices)
        self.fields["kind"].widget = forms.RadioSelect(choices=[(kind, labels[kind]) for kind in OFFERED])

    def keep_for(self, activity: Activity) -> None:
        """Drop fields that an activity of this kind and status lacks; its kind is fixed."""
        planned = activity.status == "pending"
        drop = {"kind", "participant"}
        drop |= {"occurred_at"} if planned else {"due_at", "assignee", "reminder", "repeats"}
        drop |= set() if activity.kind == "call" and not planned else {"outcome"}
        drop |= set() if activity.kind == "email" else {"sender", "recipients"}
        drop |= set() if activity.kind in ("call", "meeting") else {"minutes"}
        for name in drop:
            del self.fields[name]

    def clean(self):
        """Default the subject to the text's first line, or to the kind for WORDLESS: “Call”.

        A future time makes it planned.
        """
        cleaned = super().clean()
        if cleaned.get("kind", "task") != "task" and (at := cleaned.get("occurred_at")) and at > clock.now():
            cleaned |= {"due_at": at, "occurred_at": None}
        if not cleaned.get("subject") and cleaned.get("body"):
            cleaned["subject"] = cleaned["body"].strip().splitlines()[0][:200]
        if not cleaned.get("subject") and cleaned.get("kind") in WORDLESS:
            cleaned["subject"] = str(dict(self.fields["kind"].choices)[cleaned["kind"]])
        return cleaned


# By field, the kinds that it is shown for.
KINDS = {
    "occurred_at": WORDLESS,
    "participant": WORDLESS,
    "due_at": ("task",),
    "reminder": ("call", "meeting", "task"),
    "repeats": ("task",),
    "assignee": ("task",),
    "priority": ("task",),
    "minutes": ("call", "meeting"),
    "outcome": ("call",),
    "sender": ("email",),
    "recipients": ("email",),
}


class NewActivityForm(ActivityForm):
    """The activity form with what it is about: a contact or a company."""

    field_order = ("kind", "contact", "company")
    contact = contact_form_field(_("Contact"))
    company = forms.CharField(
        label=_("Company"),
        required=False,
        widget=forms.TextInput(attrs={"data-entity": "company", "autocomplete": "off"}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, kinds in KINDS.items():
            self.fields[name].kinds = " ".join(kinds)  # type: ignore[attr-defined]
