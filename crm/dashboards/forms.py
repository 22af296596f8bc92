"""What is asked about the mail of a dashboard."""

from django import forms

from crm.dashboards.models import Subscription
from crm.dashboards.period import LONGEST


class SubscriptionForm(forms.Form):
    """How often, and about how many days."""

    every = forms.ChoiceField(label="Mail it to me", choices=Subscription.Every.choices, required=False)
    days = forms.IntegerField(
        label="Days", min_value=1, max_value=LONGEST, help_text="Up to the day of the mail; it leaves at seven."
    )
