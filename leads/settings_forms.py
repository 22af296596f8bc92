"""What admins decide about leads: who gets which, and how soon they are to be spoken with."""

from calendar import day_name
from datetime import time
from typing import Any

from django import forms

from crm.kit.actor import Role
from crm.users.models import Membership, Team
from leads.assignment.models import AssignmentRule, FirstContactTerms


class RuleForm(forms.Form):
    """Which leads, and who gets them."""

    name = forms.CharField(max_length=80)
    condition = forms.CharField(
        label="Leads that meet",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"}),
        help_text="For example: source = Web and contact.company.industry in (logistics, taxi)",
    )
    people = forms.TypedMultipleChoiceField(
        label="Go to", coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    team: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="No team", label="And everybody in"
    )
    method = forms.ChoiceField(label="How", choices=AssignmentRule.Method.choices, widget=forms.RadioSelect)
    position = forms.IntegerField(
        label="Place", min_value=0, max_value=9999, help_text="The rule with the lowest is asked first."
    )
    is_active = forms.BooleanField(label="In use", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        members = (
            Membership.objects.active().exclude(role=Role.VIEWER).select_related("user").order_by("user__name", "pk")
        )
        self.fields["people"].choices = [(member.pk, str(member)) for member in members]
        self.fields["team"].queryset = Team.objects.order_by("name")


class FirstContactForm(forms.Form):
    """How many hours, and which hours count."""

    hours = forms.IntegerField(label="Hours", help_text="From the moment at which a lead is opened.")
    in_business_hours = forms.BooleanField(label="Count business hours only", required=False)
    days = forms.TypedMultipleChoiceField(
        label="Working days",
        coerce=int,
        required=False,
        choices=list(enumerate(day_name)),
        widget=forms.CheckboxSelectMultiple,
    )
    opens = forms.TimeField(label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    closes = forms.TimeField(
        label="To",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="00:00 is midnight at the end of the day.",
    )

    @staticmethod
    def shown(agreed: FirstContactTerms) -> dict[str, Any]:
        same = ("hours", "in_business_hours", "days")
        times = {key: time(*divmod(getattr(agreed, key) % 1440, 60)) for key in ("opens", "closes")}
        return {key: getattr(agreed, key) for key in same} | times

    def clean(self) -> dict[str, Any]:
        """With times as minutes since midnight."""
        cleaned = super().clean() or self.cleaned_data
        for key in cleaned.keys() & {"opens", "closes"}:
            cleaned[key] = cleaned[key].hour * 60 + cleaned[key].minute
        if cleaned.get("closes") == 0:
            cleaned["closes"] = 24 * 60
        return cleaned
