"""Steps about campaigns: make one, and add the person whom a record is about to one."""

from contacts.models import Contact
from crm.campaigns.models import Campaign
from crm.campaigns.segments import segments
from crm.campaigns.verbs.add_people import add_people
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.kit.errors import Refused
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
    return Result(f"Made the campaign “{made}”, a draft", changed=True)


register(
    StepKind(
        "campaign",
        "Create a campaign",
        "megaphone",
        (
            Param("name", "Name", "template", help="As in: Win-back: {name}"),
            Param("type", "Type", "select", _types, default=Campaign.Type.EMAIL.value),
            Param(
                "segment",
                "Segment",
                "select",
                _segments,
                help="A view of contacts that the whole workspace has.",
                refers=ReferenceKind.SEGMENT,
            ),
        ),
        sentence=lambda values, entity: (
            f"create the e-mail campaign “{values['name']}” for "
            f"{dict(_segments(entity)).get(values['segment'], values['segment'])}, as a draft"
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
    if campaign is None or contact is None:
        raise Refused("There is no such campaign any more." if contact else "This record is about no contact.")
    rows = Contact.objects.filter(pk=contact)
    added = add_people(campaign, rows, by=context.by)
    sentence = f"to the campaign “{campaign}”"
    if not added.done:
        return Result(f"Nobody was added {sentence}: they are in it, or the owner of the workflow does not see them")
    return settled(added, f"Added them {sentence}")


register(
    StepKind(
        "add_to_campaign",
        "Add to a campaign",
        "user-plus",
        (Param("campaign", "Campaign", "select", _open, help="A draft, or one that is being sent."),),
        sentence=lambda values, entity: f"add the contact to the campaign “{_called(values, entity)}”",
        perform=_add,
        entities=("contact", "lead", "opportunity"),
    )
)
