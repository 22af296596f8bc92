"""What the moves of opportunities ask."""

from django import forms

from contacts.axes import LIFECYCLE
from contacts.forms import CHOOSE
from contacts.models import Contact
from crm.kit.actor import Actor
from crm.lifecycle.offers import offers
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.verbs.lose import ANSWERS
from crm.users.visibility import may_edit

OPEN_CHOICES = [(value, STAGE.value(value).label) for value in OPEN]
ALL_CHOICES = [(choice.value, choice.label) for choice in STAGE.values]


def _reason(**options) -> forms.CharField:
    return forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), **options)


class MoveForm(forms.Form):
    """To which open stage."""

    to = forms.ChoiceField(label="Stage", choices=OPEN_CHOICES)


class ReopenForm(forms.Form):
    """At which stage it goes on, and why."""

    to = forms.ChoiceField(label="Stage", choices=OPEN_CHOICES, initial="negotiation")
    reason = _reason()


class LoseForm(forms.Form):
    """Why; and of a contact who has no open opportunity left, what becomes of them."""

    reason = _reason(required=False)

    def __init__(self, *args, contact: Contact | None, by: Actor):
        """`contact`: whose last open opportunity it is; None when they have others, or are not seen."""
        super().__init__(*args)
        if contact is not None:
            self.fields["contacts"] = forms.ChoiceField(
                label=f"{contact} has no other open opportunity",
                choices=_futures(contact, by),
                required=False,
                widget=forms.RadioSelect,
            )


def _futures(contact: Contact, by: Actor) -> list[tuple[str, str]]:
    """What may become of a contact: the moves that the actor may make now."""
    found = offers(contact, LIFECYCLE, by=by, editable=may_edit(contact, by))
    answers = [offer for offer in found if offer.allowed and offer.move.verb in ANSWERS]
    here = LIFECYCLE.value(contact.lifecycle_stage).label
    return [("", f"stays {here}"), *((offer.move.verb, f"becomes {offer.to}") for offer in answers)]


def stage_form(by: Actor) -> type[forms.Form]:
    """To which stage, and what losing asks."""

    class StageForm(forms.Form):
        to = forms.ChoiceField(label="Move to", choices=[CHOOSE, *ALL_CHOICES])
        reason = _reason(required=False, help_text="For Lost: kept with each of them.")
        contacts = forms.ChoiceField(
            label="Contacts without another open opportunity",
            choices=[("", "stay where they are"), ("lose", "become Lost")],
            required=False,
            help_text="For Lost.",
        )

    return StageForm
