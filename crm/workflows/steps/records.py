"""Steps that change or create records, each by its verb and with the rights of the workflow's owner."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from contacts.axes import LIFECYCLE
from contacts.moves import VERBS as CONTACT_VERBS
from contacts.verbs.log import log
from crm.entities.fields import Choice
from crm.entities.people import members
from crm.entities.placeholders import PLACE
from crm.kit import formats
from crm.kit.actor import Role
from crm.kit.errors import Invalid, Refused
from crm.kit.outcome import Outcome
from crm.kit.scope import workspace
from crm.kit.translation import gettext, ngettext, pgettext_lazy
from crm.kit.translation import gettext_lazy as _
from crm.opportunities.axes import OPEN, STAGE
from crm.opportunities.moves import move_to
from crm.opportunities.pipelines import pipelines
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
EVERYWHERE: dict[str, tuple[str, Verb]] = {"delete": (_("Move to trash"), delete)}
MOVES: dict[str, dict[str, tuple[str, Verb]]] = {
    "contact": {
        move.verb: (move.label, CONTACT_VERBS[move.verb]) for move in LIFECYCLE.moves if move.verb in CONTACT_VERBS
    },
    "opportunity": {"reopen": (_("Reopen"), reopen_opportunity)},
    "lead": {
        "marketing_qualified": (_("Qualify as Marketing Qualified"), partial(qualify_lead, to="marketing_qualified")),
        "sales_qualified": (_("Qualify as Sales Qualified"), partial(qualify_lead, to="sales_qualified")),
        "convert": (_("Convert"), convert),
        "lose": (_("Mark as lost"), lose_lead),
        "reactivate": (_("Reactivate"), reactivate),
    },
}


def verbs(entity: str) -> dict[str, tuple[str, Verb]]:
    """Return the verbs for an entity: name → label and verb."""
    return (_to_stages() if entity == "opportunity" else {}) | MOVES.get(entity, {}) | EVERYWHERE


def _to_stages() -> dict[str, tuple[str, Verb]]:
    label, several = gettext("Move to {stage}"), len(pipelines()) > 1
    return {
        stage.value: (label.format(stage=_in_full(stage, several)), partial(move_to, to=stage.value))
        for stage in STAGE.values
    }


def _in_full(stage: Choice, several: bool) -> str:
    return f"{stage.group}: {stage.label}" if several else str(stage.label)


def settled(outcome: Outcome, decided: str) -> Result:
    """Return a verb's result. Raises Refused with its reason, also if no record was changed."""
    outcome.or_raise()
    if not outcome.done:
        raise Refused(gettext("The record no longer exists, or the workflow owner can’t see it."))
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


def _field_sentence(values: Values, entity: str) -> str:
    sentence = gettext("Set {field} to “{value}”") if values["value"] else gettext("Clear {field}")
    return sentence.format(field=_field_label(entity, values["field"]), value=values["value"])


def _change(context: Context, values: Values) -> Result:
    key, value = values["field"], context.fill(values["value"])
    sentence = gettext("Set {field} to “{value}”") if value else gettext("Cleared {field}")
    decided = sentence.format(field=_field_label(context.entity, key), value=value)
    return settled(edit(context.rows, {key: value}, by=context.by), decided)


register(
    StepKind(
        "change_field",
        _("Update field"),
        "pencil",
        (
            Param("field", _("Field"), "select", _fields, refers=ReferenceKind.FIELD),
            Param(
                "value",
                _("New value"),
                "template",
                required=False,
                help=_("Leave blank to clear. Use {name} to insert a field."),
                refers=ReferenceKind.OPTION,
            ),
        ),
        sentence=_field_sentence,
        perform=_change,
        check=_check_field,
    )
)

# Any verb.


def _verb_choices(entity: str) -> list[tuple[str, str]]:
    return [(name, label) for name, (label, _) in verbs(entity).items()]


def _verb_label(entity: str, name: str) -> str:
    return str(verbs(entity)[name][0]) if name in verbs(entity) else name


def _act(context: Context, values: Values) -> Result:
    label, verb = verbs(context.entity).get(values["verb"]) or (values["verb"], None)
    if verb is None:
        raise Refused(gettext("Workflows can no longer do “{name}”. Edit this action.").format(name=label))
    return settled(verb(context.rows, by=context.by, reason=context.fill(values["reason"])), str(label))


register(
    StepKind(
        "verb",
        _("Change stage or status"),
        "arrow-right-left",
        (
            Param("verb", _("Change"), "select", _verb_choices),
            Param("reason", _("Reason"), "template", required=False, help=_("Saved with the change.")),
        ),
        sentence=lambda values, entity: _verb_label(entity, values["verb"]),
        perform=_act,
    )
)

# Owners and assignees.

RECORD_OWNER, WORKFLOW_OWNER = "record_owner", "workflow_owner"


def workers(entity: str) -> list[tuple[str, str]]:
    """Return the active members who can be assigned work."""
    active = Membership.objects.active().exclude(role=Role.VIEWER).values_list("pk", flat=True)
    labels = members()
    return [(f"member_{pk}", labels.label(pk)) for pk in active.order_by("user__name", "pk")]


def assignees(entity: str) -> list[tuple[str, str]]:
    """Return workers() plus the dynamic choices, e.g. the record's owner."""
    known = [(RECORD_OWNER, _("Record owner")), (WORKFLOW_OWNER, _("Workflow owner"))]
    return [*known, *workers(entity)]


def member_of(context: Context, who: str) -> int | None:
    """Return the member key for a choice of assignees(); the workflow's owner if the record is unassigned."""
    if who == RECORD_OWNER:
        return context.record.owner_id or context.by.member_id
    return context.by.member_id if who == WORKFLOW_OWNER else int(who.removeprefix("member_"))


WHO = partial(Param, "who", kind="select", choices=assignees, default=RECORD_OWNER)


def _who(values: Values, entity: str) -> str:
    return dict(assignees(entity)).get(values["who"]) or values["who"]


def _with_details(action: str, *details: str) -> str:
    """Return an action with its non-empty details in brackets."""
    given = ", ".join(filter(None, details))
    return gettext("{action} ({details})").format(action=action, details=given) if given else action


def _assign(context: Context, values: Values) -> Result:
    owner = member_of(context, values["who"])
    decided = gettext("Assigned to {name}").format(name=members().label(owner or 0))
    return settled(assign(context.rows, owner, by=context.by), decided)


register(
    StepKind(
        "assign",
        _("Assign owner"),
        "user-check",
        (Param("who", _("Owner"), "select", lambda entity: assignees(entity)[1:]),),
        sentence=lambda values, entity: gettext("Assign to {who}").format(who=_who(values, entity)),
        perform=_assign,
    )
)

# New activities and opportunities.

# By kind: label, present and past description.
ACTIVITIES = {
    "task": (_("Task"), _("Create task “{subject}”"), _("Created task “{subject}”")),
    "call": (_("Call"), _("Create call “{subject}”"), _("Created call “{subject}”")),
    "email": (_("Email"), _("Create email “{subject}”"), _("Created email “{subject}”")),
    "meeting": (_("Meeting"), _("Create meeting “{subject}”"), _("Created meeting “{subject}”")),
    "note": (pgettext_lazy("activity", "Note"), _("Create note “{subject}”"), _("Created note “{subject}”")),
}
PRIORITIES = [("low", _("Low")), ("normal", _("Normal")), ("high", _("High"))]


def _kinds_of_activity(entity: str) -> list[tuple[str, str]]:
    return [(kind, label) for kind, (label, _do, _done) in ACTIVITIES.items()]


def _log(context: Context, values: Values) -> Result:
    subject = context.fill(values["subject"])
    facts: dict[str, Any] = {"kind": values["activity"], "subject": subject[:200], "priority": values["priority"]}
    facts |= {"body": context.fill(values["body"]), "assignee_id": member_of(context, values["who"])} | context.about()
    facts["status"] = "done" if values["activity"] == "note" else "pending"  # a workflow can't call or meet anyone
    if values["days"] != "":
        facts["due_at"] = context.now + timedelta(days=values["days"])
    created = ACTIVITIES[values["activity"]][2].format(subject=subject)
    return settled(log([facts], by=context.by), created)


def _activity_sentence(values: Values, entity: str) -> str:
    return _with_details(
        ACTIVITIES[values["activity"]][1].format(subject=values["subject"]),
        gettext("high priority") if values["priority"] == "high" else "",
        _due(values["days"]),
        gettext("assignee: {who}").format(who=_who(values, entity)),
    )


def _due(days: Any) -> str:
    if days == "":
        return ""
    if days == 0:
        return gettext("due today")
    return ngettext("due in {count} day", "due in {count} days", days).format(count=formats.number(days))


register(
    StepKind(
        "activity",
        _("Create task or activity"),
        "square-check",
        (
            Param("activity", _("Type"), "select", _kinds_of_activity, default="task"),
            Param("subject", _("Subject"), "template", help=_("e.g. Follow up with {name}")),
            Param("body", _("Details"), "long", required=False),
            Param("priority", _("Priority"), "select", lambda entity: PRIORITIES, default="normal"),
            Param("days", _("Due (days from now)"), "number", required=False),
            WHO(label=_("Assignee")),
        ),
        sentence=_activity_sentence,
        perform=_log,
    )
)


def _open(context: Context, values: Values) -> Result:
    contact = context.about().get("contact_id")
    if contact is None:
        raise Refused(gettext("This record has no contact, so no opportunity was created."))
    name = context.fill(values["name"])
    facts: dict[str, Any] = {"name": name[:200], "contact": contact, "owner": member_of(context, values["who"])}
    if values["amount"] != "":
        facts["amount"] = str(values["amount"])
    if values["days"] != "":
        facts["close_date"] = (context.now + timedelta(days=values["days"])).date().isoformat()
    created = gettext("Created opportunity “{name}”").format(name=name)
    return settled(open_opportunity([facts], by=context.by, stage=values["stage"]), created)


def _opportunity_sentence(values: Values, entity: str) -> str:
    return _with_details(
        gettext("Create opportunity “{name}”").format(name=values["name"]),
        formats.money(values["amount"], workspace().currency) if values["amount"] != "" else "",
        gettext("stage: {stage}").format(stage=STAGE.value(values["stage"]).label),
        _closing(values["days"]),
        gettext("owner: {who}").format(who=_who(values, entity)),
    )


def _closing(days: Any) -> str:
    if days == "":
        return ""
    if days == 0:
        return gettext("closes today")
    return ngettext("closes in {count} day", "closes in {count} days", days).format(count=formats.number(days))


register(
    StepKind(
        "opportunity",
        _("Create opportunity"),
        "circle-dollar-sign",
        (
            Param("name", _("Name"), "template", help=_("e.g. {name} – Inbound")),
            Param("amount", _("Amount"), "number", required=False),
            Param(
                "stage",
                _("Stage"),
                "select",
                lambda entity: [(value, _in_full(STAGE.value(value), len(pipelines()) > 1)) for value in OPEN],
                default="prospecting",
            ),
            Param("days", _("Close date (days from now)"), "number", required=False),
            WHO(label=_("Owner")),
        ),
        sentence=_opportunity_sentence,
        perform=_open,
        entities=("contact", "lead", "opportunity"),
    )
)
