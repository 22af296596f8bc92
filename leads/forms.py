"""Forms of lead moves."""

from django import forms
from django.http import QueryDict

from crm.entities.forms import NumberField, number_input
from crm.kit.actor import Actor
from crm.kit.translation import gettext_lazy as _
from crm.records.forms import CHOOSE, reason_field
from leads.axes import BY_SCORE, STAGE
from leads.models import Lead


class QualifyForm(forms.Form):
    """Target stage and reason."""

    to = forms.ChoiceField()
    reason = reason_field()

    def __init__(self, data: QueryDict | None, lead: Lead, by: Actor):
        super().__init__(data)
        further = BY_SCORE[BY_SCORE.index(lead.stage) + 1 :] if lead.stage in BY_SCORE else ()
        choices = [(value, STAGE.value(value).label) for value in further or BY_SCORE[1:]]
        self.fields["to"] = forms.ChoiceField(label=_("Qualification stage"), choices=choices)


class QualifyManyForm(forms.Form):
    """Target stage, for leads at earlier stages, and reason."""

    to = forms.ChoiceField(
        label=_("Qualification stage"), choices=[CHOOSE, *((value, STAGE.value(value).label) for value in BY_SCORE[1:])]
    )
    reason = reason_field()


class ConvertForm(forms.Form):
    """The editable fields of the new opportunity."""

    name = forms.CharField(label=_("Name"), max_length=200)
    amount = NumberField(
        label=_("Amount"), required=False, min_value=0, max_digits=15, decimal_places=2, widget=number_input()
    )
    close_date = forms.DateField(label=_("Close date"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
