"""Forms of lead settings: assignment and first-contact SLA."""

from datetime import time
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS

from crm.kit.actor import Role
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Team
from leads.assignment.models import AssignmentRule, FirstContactTerms


class RuleForm(forms.Form):
    """Condition and assignees."""

    name = forms.CharField(label=_("Name"), max_length=80)
    condition = forms.CharField(
        label=_("Conditions"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"}),
        help_text=_("e.g. source = Web and contact.company.industry in (logistics, taxi)"),
    )
    people = forms.TypedMultipleChoiceField(
        label=_("Assign to"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    team: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None, required=False, empty_label=_("No team"), label=_("Or anyone in team")
    )
    method = forms.ChoiceField(label=_("Distribution"), choices=AssignmentRule.Method.choices, widget=forms.RadioSelect)
    position = forms.IntegerField(
        label=_("Order"), min_value=0, max_value=9999, help_text=_("Rules run in this order, lowest first.")
    )
    is_active = forms.BooleanField(label=_("Active"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        members = (
            Membership.objects.active().exclude(role=Role.VIEWER).select_related("user").order_by("user__name", "pk")
        )
        self.fields["people"].choices = [(member.pk, str(member)) for member in members]
        self.fields["team"].queryset = Team.objects.live().order_by("name")


class FirstContactForm(forms.Form):
    """SLA hours and business hours."""

    hours = forms.IntegerField(label=_("Hours"), help_text=_("Counted from lead creation."))
    in_business_hours = forms.BooleanField(label=_("Business hours only"), required=False)
    days = forms.TypedMultipleChoiceField(
        label=_("Working days"),
        coerce=int,
        required=False,
        choices=list(WEEKDAYS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    opens = forms.TimeField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    closes = forms.TimeField(
        label=_("To"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Use 00:00 for midnight."),
    )

    @staticmethod
    def shown(agreed: FirstContactTerms) -> dict[str, Any]:
        same = ("hours", "in_business_hours", "days")
        times = {key: time(*divmod(getattr(agreed, key) % 1440, 60)) for key in ("opens", "closes")}
        return {key: getattr(agreed, key) for key in same} | times

    def clean(self) -> dict[str, Any]:
        """Convert times to minutes since midnight."""
        cleaned = super().clean() or self.cleaned_data
        for key in cleaned.keys() & {"opens", "closes"}:
            cleaned[key] = cleaned[key].hour * 60 + cleaned[key].minute
        if cleaned.get("closes") == 0:
            cleaned["closes"] = 24 * 60
        return cleaned
