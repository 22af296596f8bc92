"""Forms of exceptions."""

from django import forms

from crm.anomalies.kinds import ANOMALY_KINDS
from crm.entities.people import members
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _


class FilterForm(forms.Form):
    """Filter by kind and owner."""

    kind = forms.ChoiceField(label=_("Type"), required=False)
    owner = forms.ChoiceField(label=_("Owner"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        people = sorted(((str(pk), row.label) for pk, row in members().rows.items()), key=lambda pair: pair[1])
        self.fields["kind"].choices = [
            ("", gettext("All types")),
            *((kind.name, kind.label) for kind in ANOMALY_KINDS.values()),
        ]
        self.fields["owner"].choices = [
            ("", gettext("Any owner")),
            ("me", gettext("Me")),
            ("team", gettext("My team")),
            ("nobody", gettext("Unassigned")),
            *people,
        ]


class WaiveForm(forms.Form):
    """Reason and end date of a dismissal."""

    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    until = forms.DateField(
        label=_("Dismissed until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("It will reappear on this date if it isn’t fixed."),
    )
