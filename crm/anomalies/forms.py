"""What is asked about exceptions."""

from django import forms

from crm.anomalies.kinds import all_kinds
from crm.entities.people import members


class FilterForm(forms.Form):
    """Which exceptions, and whose."""

    kind = forms.ChoiceField(required=False)
    owner = forms.ChoiceField(required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        people = sorted(((str(pk), row.label) for pk, row in members().rows.items()), key=lambda pair: pair[1])
        whose = [("", "Anybody's"), ("me", "Mine"), ("team", "My team's"), ("nobody", "Nobody's"), *people]
        self.fields["kind"].choices = [("", "Every kind"), *((kind.name, kind.label) for kind in all_kinds())]
        self.fields["owner"].choices = whose


class WaiveForm(forms.Form):
    """Why, and until when."""

    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    until = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="From that day on it is listed again, if it still is one.",
    )
