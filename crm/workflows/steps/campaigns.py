"""Campaign steps: create a campaign, or add the record's contact to one."""

from contacts.models import Contact
from crm.campaigns.models import Campaign
from crm.campaigns.segments import segments
from crm.campaigns.verbs.add_people import add_people
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.kit.errors import Refused
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.workflows.params import Param, ReferenceKind, Values
from crm.workflows.steps import Context, Result, StepKind, register
from crm.workflows.steps.records import settled


def _segments(entity: str) -> list[tuple[str, str]]:
    return [(each.slug, each.name) for each in segments().values()]


def _types(entity: str) -> list[tuple[str, str]]:
    return [(value, str(label)) for value, label in Campaign.Type.choices]


def _make(context: Context, values: Values) -> Result:
    name = context.fill(values["name"])[:100]
    facts = {"name": name, "type": values["type"], "segment": values["segment"]}
    made = save_campaign(None, facts, by=context.by)
    return Result(gettext("Created draft campaign “{name}”").format(name=made), changed=True)


register(
    StepKind(
        "campaign",
        _("Create campaign"),
        "megaphone",
        (
            Param("name", _("Name"), "template", help=_("e.g. Win-back: {name}")),
            Param("type", _("Type"), "select", _types, default=Campaign.Type.EMAIL.value),
            Param(
                "segment",
                _("Segment"),
                "select",
                _segments,
                help=_("A view of contacts that is shared with the workspace."),
                refers=ReferenceKind.SEGMENT,
            ),
        ),
        sentence=lambda values, entity: gettext("Create draft campaign “{name}” for {segment}").format(
            name=values["name"], segment=dict(_segments(entity)).get(values["segment"], values["segment"])
        ),
        perform=_make,
    )
)


def _open(entity: str) -> list[tuple[str, str]]:
    found = Campaign.objects.filter(status__in=Campaign.OPEN).order_by("-pk")
    return list(found.values_list("public_id", "name")[:200])


def _called(values: Values, entity: str) -> str:
    name = Campaign.objects.filter(public_id=values["campaign"]).values_list("name", flat=True).first()
    return name or values["campaign"]


def _add(context: Context, values: Values) -> Result:
    campaign = Campaign.objects.filter(public_id=values["campaign"]).first()
    contact = context.about().get("contact_id")
    if contact is None:
        raise Refused(gettext("This record has no contact."))
    if campaign is None:
        raise Refused(gettext("This campaign no longer exists."))
    rows = Contact.objects.filter(pk=contact)
    added = add_people(campaign, rows, by=context.by)
    if not added.done:
        sentence = gettext(
            "Not added to campaign “{name}”. The contact is already in it, or the workflow owner can’t see them."
        )
        return Result(sentence.format(name=campaign))
    return settled(added, gettext("Added to campaign “{name}”").format(name=campaign))


register(
    StepKind(
        "add_to_campaign",
        _("Add to campaign"),
        "user-plus",
        (Param("campaign", _("Campaign"), "select", _open, help=_("Drafts and campaigns that are still sending.")),),
        sentence=lambda values, entity: gettext("Add contact to campaign “{name}”").format(
            name=_called(values, entity)
        ),
        perform=_add,
        entities=("contact", "lead", "opportunity"),
    )
)
