"""What is asked about a stage, and about what waits."""

from datetime import date, datetime

from django import forms

from crm.conditions.relative_dates import start_of
from crm.entities.values import zone

MONO = {"rows": 3, "spellcheck": "false", "class": "mono"}


class DefinitionForm(forms.Form):
    """What a value of an axis means."""

    meaning = forms.CharField(max_length=300)
    key_question = forms.CharField(label="Key question", max_length=300, required=False)
    next_action = forms.CharField(label="Next action", max_length=300, required=False)
    entry = forms.CharField(
        label="What makes it so", widget=forms.Textarea(attrs=MONO), help_text="For example: email is not empty"
    )
    exit = forms.CharField(
        label="What moves it on",
        required=False,
        widget=forms.Textarea(attrs=MONO),
        help_text="A record that stays too long is listed under each part of this that does not hold.",
    )
    keeper = forms.CharField(
        label="Whose business", max_length=120, required=False, help_text="A role or a team, or Automatic"
    )
    expected_days = forms.IntegerField(
        label="Expected days",
        min_value=1,
        max_value=3650,
        required=False,
        help_text="Left empty, the time that three of four records took counts.",
    )


class WaitForm(forms.Form):
    """For what, and until when."""

    reason = forms.CharField(max_length=1000, label="Waits for", widget=forms.Textarea(attrs={"rows": 2}))
    until = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="From that day on it counts as stuck again, if it still is.",
    )


def day_begins(day: date) -> datetime:
    return start_of(day, zone())
