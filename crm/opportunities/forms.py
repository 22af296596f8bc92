"""What the moves of opportunities ask."""

from django import forms
from django.db.models import Exists, OuterRef
from django.http import QueryDict

from contacts.axes import LIFECYCLE
from contacts.models import Contact
from crm.kit.actor import Actor
from crm.lifecycle.offers import offers
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.lose import ANSWERS
from crm.records.forms import CHOOSE, reason_field
from crm.users.visibility import may_edit

OPEN_CHOICES = [(value, STAGE.value(value).label) for value in OPEN]
ALL_CHOICES = [(choice.value, choice.label) for choice in STAGE.values]


class ReopenForm(forms.Form):
    """At which stage it goes on, and why."""

    to = forms.ChoiceField(label="Stage", choices=OPEN_CHOICES, initial="negotiation")
    reason = reason_field()

    def __init__(self, data: QueryDict | None, opportunity: Opportunity, by: Actor):
        super().__init__(data)


class LoseForm(forms.Form):
    """Why; and of a contact who has no open opportunity left, what becomes of them."""

    reason = reason_field(required=False)

    def __init__(self, data: QueryDict | None, opportunity: Opportunity, by: Actor):
        super().__init__(data)
        contact = _left_with_none(opportunity, by)
        if contact is not None:
            self.fields["contacts"] = forms.ChoiceField(
                label=f"{contact} has no other open opportunity",
                choices=_futures(contact, by),
                required=False,
                widget=forms.RadioSelect,
            )


def _left_with_none(opportunity: Opportunity, by: Actor) -> Contact | None:
    """The contact, when this is their only open opportunity and the actor sees them."""
    others = Opportunity.objects.open().filter(contact=OuterRef("pk")).exclude(pk=opportunity.pk)
    seen = Contact.objects.live().visible_to(by)
    return seen.filter(~Exists(others), pk=opportunity.contact_id).first()


def _futures(contact: Contact, by: Actor) -> list[tuple[str, str]]:
    """What may become of a contact: the moves that the actor may make now."""
    found = offers(contact, LIFECYCLE, by=by, editable=may_edit(contact, by))
    answers = [offer for offer in found if offer.allowed and offer.move.verb in ANSWERS]
    label = LIFECYCLE.value(contact.lifecycle_stage).label
    return [("", f"stays {label}"), *((offer.move.verb, f"becomes {offer.to}") for offer in answers)]


def stage_form(by: Actor) -> type[forms.Form]:
    class StageForm(forms.Form):
        to = forms.ChoiceField(label="Move to", choices=[CHOOSE, *ALL_CHOICES])
        reason = reason_field(required=False, help_text="For Lost: kept with each of them.")
        contacts = forms.ChoiceField(
            label="Contacts without another open opportunity",
            choices=[("", "stay where they are"), ("lose", "become Lost")],
            required=False,
            help_text="For Lost.",
        )

    return StageForm
