"""Forms for stage definitions, and for snoozing a record."""

from datetime import date, datetime
from typing import Any

from django import forms

from crm.conditions.relative_dates import start_of
from crm.entities.values import zone
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis

MONO = {"rows": 3, "spellcheck": "false", "class": "mono"}


class DefinitionForm(forms.Form):
    """The definition of an axis value."""

    meaning = forms.CharField(label=_("Meaning"), max_length=300)
    key_question = forms.CharField(label=_("Key question"), max_length=300, required=False)
    next_action = forms.CharField(label=_("Next action"), max_length=300, required=False)
    entry = forms.CharField(
        label=_("Entry criteria"), widget=forms.Textarea(attrs=MONO), help_text=_("e.g. email is not empty")
    )
    exit = forms.CharField(
        label=_("Exit criteria"),
        required=False,
        widget=forms.Textarea(attrs=MONO),
        help_text=_("Records that stay too long are grouped by the criteria they don’t meet."),
    )
    keeper = forms.CharField(
        label=_("Owner"), max_length=120, required=False, help_text=_("A role, a team or “Automatic”")
    )
    expected_days = forms.IntegerField(
        label=_("Expected time in stage (days)"),
        min_value=1,
        max_value=3650,
        required=False,
        help_text=_("Leave blank to use the time 75% of records took."),
    )

    def __init__(self, *args: Any, axis: Axis, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if axis.expected:
            self.fields["expected_days"].disabled = True
            self.fields["expected_days"].help_text = axis.expected_help


class WaitForm(forms.Form):
    """Reason and end date."""

    reason = forms.CharField(max_length=1000, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))
    until = forms.DateField(
        label=_("Snoozed until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("It will be reported as stuck again from this date if nothing changes."),
    )


def day_begins(day: date) -> datetime:
    return start_of(day, zone())
