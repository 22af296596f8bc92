"""The form of a dashboard subscription."""

from django import forms

from crm.dashboards.models import Subscription
from crm.dashboards.period import LONGEST
from crm.kit.translation import gettext_lazy as _


class SubscriptionForm(forms.Form):
    """Frequency and days of an emailed dashboard."""

    every = forms.ChoiceField(label=_("Email me this dashboard"), choices=Subscription.Every.choices, required=False)
    days = forms.IntegerField(
        label=_("Days"),
        min_value=1,
        max_value=LONGEST,
        help_text=_("Reporting period, up to the send date. Sent at 07:00."),
    )
