"""What the moves of leads ask."""

from django import forms

from contacts.forms import CHOOSE
from crm.lifecycle.axes import Reason
from leads.axes import BY_SCORE, STAGE, STATUS
from leads.models import Lead


def _reason(**options) -> forms.CharField:
    return forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), **options)


class QualifyForm(forms.Form):
    """To which stage further on, and why."""

    to = forms.ChoiceField()
    reason = _reason()

    def __init__(self, *args, lead: Lead):
        super().__init__(*args)
        further = BY_SCORE[BY_SCORE.index(lead.stage) + 1 :] if lead.stage in BY_SCORE else ()
        choices = [(value, STAGE.value(value).label) for value in further or BY_SCORE[1:]]
        self.fields["to"] = forms.ChoiceField(label="Stage", choices=choices)


class QualifyManyForm(forms.Form):
    """To which stage, for those that stand before it, and why."""

    to = forms.ChoiceField(
        label="Stage", choices=[CHOOSE, *((value, STAGE.value(value).label) for value in BY_SCORE[1:])]
    )
    reason = _reason()


class ConvertForm(forms.Form):
    """The opportunity as it will be, where it may be made otherwise."""

    name = forms.CharField(max_length=200)
    amount = forms.DecimalField(required=False, min_value=0, max_digits=15, decimal_places=2)
    close_date = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))


def move_form(verb: str) -> type[forms.Form]:
    """What a move of the status asks: why, or nothing."""
    asks = STATUS.move(verb).reason

    class MoveForm(forms.Form):
        if asks != Reason.NO:
            reason = _reason(required=asks == Reason.REQUIRED)

    return MoveForm
