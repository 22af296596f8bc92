"""Steps that decide when and where a run goes on: waits, and branches."""

from datetime import datetime, time, timedelta
from typing import Any

from crm.conditions.parse import in_words, parse
from crm.entities.fields import TIMES, FieldType
from crm.entities.schema import schema
from crm.entities.sql import orm_value
from crm.entities.values import zone
from crm.kit import formats
from crm.kit.text import counted
from crm.workflows.params import Param, ReferenceKind, Values
from crm.workflows.steps import Context, Result, StepFailed, StepKind, partner, register

UNITS = {"minutes": "minutes", "hours": "hours", "days": "days"}
CONDITION = "As in: Lifecycle Stage = Customer"


def _pause(context: Context, values: Values) -> Result:
    until = context.now + timedelta(**{values["unit"]: values["amount"]})
    return Result(f"Waits {counted(values['amount'], values['unit'])}", until=until)


register(
    StepKind(
        "wait",
        "Wait for a time",
        "hourglass",
        (
            Param("amount", "How long", "number", default="1"),
            Param("unit", "Unit", "select", lambda entity: list(UNITS.items()), default="days"),
        ),
        sentence=lambda values, entity: f"wait {counted(values['amount'], values['unit'])}",
        perform=_pause,
    )
)


def times(entity: str) -> list[tuple[str, str]]:
    """The dates of a record that one can wait for, and count from."""
    return [(field.key, field.label) for field in schema(entity) if field.type in TIMES]


def moment_of(entity: str, key: str, value: Any) -> datetime | None:
    """A date or moment as a moment: a day begins at midnight in the workspace."""
    if value is None or schema(entity).field(key).type is FieldType.DATETIME:
        return value
    return datetime.combine(value, time(), zone())


def _until_sentence(values: Values, entity: str) -> str:
    after = f"{counted(values['days'], 'days')} after " if values["days"] else ""
    return f"wait until {after}{dict(times(entity)).get(values['field'], values['field'])}"


def _until(context: Context, values: Values) -> Result:
    field = schema(context.entity).fields.get(values["field"])
    if field is None:
        raise StepFailed(f"The field “{values['field']}” is gone. Choose another date in the workflow.")
    value = context.rows.values_list(orm_value(field)).get()[0]
    until = moment_of(context.entity, values["field"], value)
    if until is None:
        return Result(f"{field.label} is empty: it does not wait")
    until += timedelta(days=values["days"] or 0)
    if until <= context.now:
        return Result(f"{field.label} is past: it does not wait")
    return Result(f"Waits until {formats.moment(until)}", until=until)


register(
    StepKind(
        "wait_until",
        "Wait until a date",
        "calendar-clock",
        (
            Param("field", "Date", "select", times, refers=ReferenceKind.FIELD),
            Param("days", "Days after it", "number", required=False, default="0"),
        ),
        sentence=_until_sentence,
        perform=_until,
    )
)

LATE = {"go_on": "go on", "stop": "stop"}


def _watch(context: Context, values: Values) -> Result:
    condition = parse(values["condition"], context.entity, people=False)
    if context.holds(condition):
        return Result("It is so already")
    return Result(f"Waits until {condition.label_text}", until=context.now + timedelta(days=values["days"]))


register(
    StepKind(
        "wait_for",
        "Wait until something is so",
        "eye",
        (
            Param("condition", "What must be so", "condition", help=CONDITION),
            Param("days", "At most days", "number", default="14"),
            Param("late", "Then", "select", lambda entity: list(LATE.items()), default="go_on"),
        ),
        sentence=lambda values, entity: (
            f"wait until {in_words(values['condition'], entity)}, "
            f"at most {counted(values['days'], 'days')}, then {LATE[values['late']]}"
        ),
        perform=_watch,
    )
)


def _branch(context: Context, values: Values) -> Result:
    condition = parse(values["condition"], context.entity, people=False)
    if context.holds(condition):
        return Result(f"It is so: {condition.label_text}")
    here, steps = context.run.position, context.run.version.steps
    return Result(f"It is not so: {condition.label_text}", jump=partner(steps, here, "otherwise", "end") + 1)


def _pass(context: Context, values: Values) -> Result:
    """Whoever meets Otherwise has come from the steps before it, and leaves out those after it."""
    return Result("Goes on after the branch", jump=partner(context.run.version.steps, context.run.position, "end") + 1)


register(
    StepKind(
        "branch",
        "If",
        "split",
        (Param("condition", "What must be so", "condition", help=CONDITION),),
        sentence=lambda values, entity: f"if {in_words(values['condition'], entity)}:",
        perform=_branch,
        depth=1,
    )
)
register(
    StepKind("otherwise", "Otherwise", "corner-down-right", (), lambda values, entity: "otherwise:", _pass, depth=0)
)
register(
    StepKind(
        "end",
        "End of the if",
        "corner-up-left",
        (),
        lambda values, entity: "end of the if",
        lambda context, values: Result("Goes on"),
        depth=-1,
    )
)
