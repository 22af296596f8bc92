"""Steps that change records and make new ones, each by its verb and with the rights of the workflow's owner."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from contacts.axes import LIFECYCLE
from contacts.models import Activity
from contacts.moves import VERBS as CONTACT_VERBS
from contacts.verbs.log import log
from crm.entities.people import members
from crm.entities.placeholders import PLACE
from crm.kit.actor import Role
from crm.kit.errors import Invalid, Refused
from crm.kit.outcome import Outcome
from crm.kit.text import counted
from crm.opportunities.axes import CLOSED, OPEN, STAGE
from crm.opportunities.moves import move_to
from crm.opportunities.verbs.create import create as open_opportunity
from crm.opportunities.verbs.reopen import reopen as reopen_opportunity
from crm.records.forms import editable_fields
from crm.records.validation import typed
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.users.models import Membership
from crm.workflows.params import Param, ReferenceKind, Values
from crm.workflows.steps import Context, Result, StepKind, register
from leads.verbs.convert import convert
from leads.verbs.lose_leads import lose_leads as lose_lead
from leads.verbs.qualify import qualify as qualify_lead
from leads.verbs.reactivate import reactivate

Verb = Callable[..., Outcome]  # (rows, *, by, reason)
EVERYWHERE: dict[str, tuple[str, Verb]] = {"delete": ("Move to the trash", delete)}
MOVES: dict[str, dict[str, tuple[str, Verb]]] = {
    "contact": {
        move.verb: (move.label, CONTACT_VERBS[move.verb]) for move in LIFECYCLE.moves if move.verb in CONTACT_VERBS
    },
    "opportunity": {to: (f"Move to {STAGE.value(to).label}", partial(move_to, to=to)) for to in (*OPEN, *CLOSED)}
    | {"reopen": ("Reopen", reopen_opportunity)},
    "lead": {
        "marketing_qualified": ("Qualify to Marketing Qualified", partial(qualify_lead, to="marketing_qualified")),
        "sales_qualified": ("Qualify to Sales Qualified", partial(qualify_lead, to="sales_qualified")),
        "convert": ("Convert", convert),
        "lose": ("Lose lead", lose_lead),
        "reactivate": ("Reactivate", reactivate),
    },
}


def verbs(entity: str) -> dict[str, tuple[str, Verb]]:
    """What can be done with a record of an entity: name → its label and the verb."""
    return MOVES.get(entity, {}) | EVERYWHERE


def settled(outcome: Outcome, decided: str) -> Result:
    """The result of a verb. Raises Refused with its sentence, also where there was no record to change."""
    outcome.or_raise()
    if not outcome.done:
        raise Refused("The record is not there any more, or the owner of the workflow does not see it.")
    return Result(decided, changed=True)


# Change a field.


def _fields(entity: str) -> list[tuple[str, str]]:
    return [(field.key, field.label) for field in editable_fields(entity) if field.key not in ("owner", "team")]


def _field_label(entity: str, key: str) -> str:
    return dict(_fields(entity)).get(key, key)


def _check_field(values: Values, entity: str) -> None:
    if not PLACE.search(values["value"]):
        try:
            typed(entity, {values["field"]: values["value"]})
        except Invalid as error:
            raise Invalid({"value": str(error)}) from None


def _change(context: Context, values: Values) -> Result:
    key, value = values["field"], context.fill(values["value"])
    sentence = f"Set {_field_label(context.entity, key)} to “{value}”"
    return settled(edit(context.rows, {key: value}, by=context.by), sentence)


register(
    StepKind(
        "change_field",
        "Change a field",
        "pencil",
        (
            Param("field", "Field", "select", _fields, refers=ReferenceKind.FIELD),
            Param(
                "value",
                "New value",
                "template",
                required=False,
                help="Empty clears it. {name} fills in a field.",
                refers=ReferenceKind.OPTION,
            ),
        ),
        sentence=lambda values, entity: (
            f"set {_field_label(entity, values['field'])} to “{values['value']}”"
            if values["value"]
            else f"clear {_field_label(entity, values['field'])}"
        ),
        perform=_change,
        check=_check_field,
    )
)

# Any verb.


def _verb_choices(entity: str) -> list[tuple[str, str]]:
    return [(name, label) for name, (label, _) in verbs(entity).items()]


def _verb_label(entity: str, name: str) -> str:
    return verbs(entity)[name][0] if name in verbs(entity) else name


def _act(context: Context, values: Values) -> Result:
    label, verb = verbs(context.entity).get(values["verb"]) or (values["verb"], None)
    if verb is None:
        raise Refused(f"A workflow can't do “{label}” any longer. Edit the step.")
    return settled(verb(context.rows, by=context.by, reason=context.fill(values["reason"])), label)


register(
    StepKind(
        "verb",
        "Do",
        "arrow-right-left",
        (
            Param("verb", "What", "select", _verb_choices),
            Param("reason", "Reason", "template", required=False, help="Kept with the change."),
        ),
        sentence=lambda values, entity: f"do “{_verb_label(entity, values['verb'])}”",
        perform=_act,
    )
)

# Whose it becomes, and who is to do it.

RECORD_OWNER, WORKFLOW_OWNER = "record_owner", "workflow_owner"


def workers(entity: str) -> list[tuple[str, str]]:
    """Who can be given work: those who work here now."""
    active = Membership.objects.active().exclude(role=Role.VIEWER).values_list("pk", flat=True)
    labels = members()
    return [(f"member_{pk}", labels.label(pk)) for pk in active.order_by("user__name", "pk")]


def assignees(entity: str) -> list[tuple[str, str]]:
    """The same, and whoever it is in each case."""
    known = [(RECORD_OWNER, "the owner of the record"), (WORKFLOW_OWNER, "the owner of the workflow")]
    return [*known, *workers(entity)]


def member_of(context: Context, who: str) -> int | None:
    """The key of the member that a choice of people() stands for; the workflow's owner for a record of nobody's."""
    if who == RECORD_OWNER:
        return context.record.owner_id or context.by.member_id
    return context.by.member_id if who == WORKFLOW_OWNER else int(who.removeprefix("member_"))


WHO = partial(Param, "who", "Whose", "select", assignees, default=RECORD_OWNER)


def _who(values: Values, entity: str) -> str:
    return dict(assignees(entity)).get(values["who"]) or values["who"]


def _assign(context: Context, values: Values) -> Result:
    owner = member_of(context, values["who"])
    return settled(assign(context.rows, owner, by=context.by), f"Assigned to {members().label(owner or 0)}")


register(
    StepKind(
        "assign",
        "Assign",
        "user-check",
        (Param("who", "To", "select", lambda entity: assignees(entity)[1:]),),
        sentence=lambda values, entity: f"assign it to {_who(values, entity)}",
        perform=_assign,
    )
)

# New activities and opportunities.

KINDS_OF_ACTIVITY = [(value, "E-mail" if value == "email" else label) for value, label in Activity.KINDS]
PRIORITIES = [("low", "Low"), ("normal", "Normal"), ("high", "High")]


def _log(context: Context, values: Values) -> Result:
    subject = context.fill(values["subject"])
    facts: dict[str, Any] = {"kind": values["activity"], "subject": subject[:200], "priority": values["priority"]}
    facts |= {"body": context.fill(values["body"]), "assignee_id": member_of(context, values["who"])} | context.about()
    facts["status"] = "done" if values["activity"] == "note" else "pending"  # a workflow calls and meets nobody
    if values["days"] != "":
        facts["due_at"] = context.now + timedelta(days=values["days"])
    kind = dict(KINDS_OF_ACTIVITY)[values["activity"]].lower()
    return settled(log([facts], by=context.by), f"Made the {kind} “{subject}”")


register(
    StepKind(
        "activity",
        "Create a task or another activity",
        "square-check",
        (
            Param("activity", "Kind", "select", lambda entity: KINDS_OF_ACTIVITY, default="task"),
            Param("subject", "Subject", "template", help="As in: Follow up with {name}"),
            Param("body", "Text", "long", required=False),
            Param("priority", "Priority", "select", lambda entity: PRIORITIES, default="normal"),
            Param("days", "Due in days", "number", required=False),
            WHO(),
        ),
        sentence=lambda values, entity: (
            f"create the {dict(KINDS_OF_ACTIVITY)[values['activity']].lower()} “{values['subject']}”"
            + (", high priority" if values["priority"] == "high" else "")
            + (f", due in {counted(values['days'], 'days')}" if values["days"] != "" else "")
            + f", for {_who(values, entity)}"
        ),
        perform=_log,
    )
)


def _open(context: Context, values: Values) -> Result:
    contact = context.about().get("contact_id")
    if contact is None:
        raise Refused("An opportunity belongs to a contact, and this record has none.")
    name = context.fill(values["name"])
    facts: dict[str, Any] = {"name": name[:200], "contact": contact, "owner": member_of(context, values["who"])}
    if values["amount"] != "":
        facts["amount"] = str(values["amount"])
    if values["days"] != "":
        facts["close_date"] = (context.now + timedelta(days=values["days"])).date().isoformat()
    return settled(open_opportunity([facts], by=context.by, stage=values["stage"]), f"Opened “{name}”")


register(
    StepKind(
        "opportunity",
        "Create an opportunity",
        "circle-dollar-sign",
        (
            Param("name", "Name", "template", help="As in: {name} - Inbound"),
            Param("amount", "Amount", "number", required=False),
            Param(
                "stage",
                "Stage",
                "select",
                lambda entity: [(value, STAGE.value(value).label) for value in OPEN],
                default=OPEN[0],
            ),
            Param("days", "Closes in days", "number", required=False),
            WHO(),
        ),
        sentence=lambda values, entity: (
            f"create the opportunity “{values['name']}”"
            + (f", {values['amount']:,}" if values["amount"] != "" else "")
            + f", at {STAGE.value(values['stage']).label}"
        ),
        perform=_open,
        entities=("contact", "lead", "opportunity"),
    )
)
