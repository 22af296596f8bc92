"""Forms of opportunity moves."""

from django import forms
from django.db.models import Exists, OuterRef
from django.http import QueryDict

from contacts.axes import LIFECYCLE
from contacts.models import ROLES, Contact
from crm.entities.forms import form_choices
from crm.kit.actor import Actor
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.offers import offers
from crm.opportunities.axes import STAGE
from crm.opportunities.contacts import further_prospects
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.lose import ANSWERS
from crm.records.forms import CHOOSE, reason_field
from crm.users.visibility import may_edit


class LoseForm(forms.Form):
    """The lost stage if there are several, the reason, and the future of a contact without other open opportunities."""

    reason = reason_field(required=False)

    def __init__(self, data: QueryDict | None, opportunity: Opportunity, by: Actor):
        super().__init__(data)
        stages = STAGE.reachable(STAGE.by_verb["lose"], opportunity.stage)
        if len(stages) > 1:
            self.fields["to"] = forms.ChoiceField(label=STAGE.label, choices=form_choices(stages), required=False)
        contact = _left_with_none(opportunity, by)
        if contact is not None:
            question = gettext("This was {contact}’s last open opportunity. Update the contact?")
            self.fields["contacts"] = forms.ChoiceField(
                label=question.format(contact=contact),
                choices=_futures(contact, by),
                required=False,
                widget=forms.RadioSelect,
            )


def _left_with_none(opportunity: Opportunity, by: Actor) -> Contact | None:
    """Return the contact, if visible and without another open opportunity."""
    others = Opportunity.objects.open().filter(contact=OuterRef("pk")).exclude(pk=opportunity.pk)
    seen = Contact.objects.live().visible_to(by)
    return seen.filter(~Exists(others), pk=opportunity.contact_id).first()


def _futures(contact: Contact, by: Actor) -> list[tuple[str, str]]:
    """Return a contact's possible moves by the actor."""
    found = offers(contact, LIFECYCLE, by=by, editable=may_edit(contact, by))
    answers = [offer for offer in found if offer.allowed and offer.move.verb in ANSWERS]
    label = LIFECYCLE.value(contact.lifecycle_stage).label
    kept = ("", gettext("Keep as {stage}").format(stage=label))
    return [kept, *((offer.move.verb, gettext("Mark as {stage}").format(stage=offer.to)) for offer in answers)]


class WinForm(forms.Form):
    """The won stage if there are several, and which further people become customers."""

    def __init__(self, data: QueryDict | None, opportunity: Opportunity, by: Actor):
        super().__init__(data)
        stages = STAGE.reachable(STAGE.by_verb["win"], opportunity.stage)
        if len(stages) > 1:
            self.fields["to"] = forms.ChoiceField(label=STAGE.label, choices=form_choices(stages), required=False)
        people = [(contact.pk, contact.name) for contact in further_prospects(opportunity, by).order_by("name_key")]
        if people:
            self.fields["people"] = forms.TypedMultipleChoiceField(
                label=gettext("These people become customers too"),
                choices=people,
                coerce=int,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )


class RoleForm(forms.Form):
    """The role of a person in a purchase."""

    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", "—"), *ROLES])


class PersonForm(RoleForm):
    """A contact, by name or public id, and a role."""

    field_order = ("contact", "role")
    contact = forms.CharField(
        label=_("Contact"), widget=forms.TextInput(attrs={"data-entity": "contact", "autocomplete": "off"})
    )


def stage_form(by: Actor) -> type[forms.Form]:
    class StageForm(forms.Form):
        to = forms.ChoiceField(label=_("Move to"), choices=[CHOOSE, *form_choices(STAGE.values)])
        reason = reason_field(required=False, help_text=_("Lost reason, saved on each opportunity."))
        contacts = forms.ChoiceField(
            label=_("Contacts with no other open opportunity"),
            choices=[("", _("Keep their stage")), ("lose", _("Mark as Lost"))],
            required=False,
            help_text=_("Only used when you move to a lost stage."),
        )

    return StageForm
