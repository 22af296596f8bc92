"""Flow steps: delays and branches."""

from datetime import datetime, time, timedelta
from typing import Any

from crm.conditions.parse import parse, sentence_of
from crm.entities.fields import TIMES, FieldType
from crm.entities.schema import schema
from crm.entities.sql import orm_value
from crm.entities.values import zone
from crm.kit import formats
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _
from crm.workflows.params import Param, ReferenceKind, Values
from crm.workflows.steps import Context, Result, StepFailed, StepKind, partner, register

UNITS = {"minutes": _("minutes"), "hours": _("hours"), "days": _("days")}
CONDITION = _("e.g. Lifecycle Stage = Customer")


def _duration(values: Values) -> str:
    amount = values["amount"]
    match values["unit"]:
        case "minutes":
            text = ngettext("{count} minute", "{count} minutes", amount)
        case "hours":
            text = ngettext("{count} hour", "{count} hours", amount)
        case _:
            text = ngettext("{count} day", "{count} days", amount)
    return text.format(count=formats.number(amount))


def _pause(context: Context, values: Values) -> Result:
    until = context.now + timedelta(**{values["unit"]: values["amount"]})
    return Result(gettext("Waiting {duration}").format(duration=_duration(values)), until=until)


register(
    StepKind(
        "wait",
        _("Delay"),
        "hourglass",
        (
            Param("amount", _("Duration"), "number", default="1"),
            Param("unit", _("Unit"), "select", lambda entity: list(UNITS.items()), default="days"),
        ),
        sentence=lambda values, entity: gettext("Wait {duration}").format(duration=_duration(values)),
        perform=_pause,
    )
)


def times(entity: str) -> list[tuple[str, str]]:
    return [(field.key, field.label) for field in schema(entity) if field.type in TIMES]


def moment_of(entity: str, key: str, value: Any) -> datetime | None:
    """Return a date or datetime as a datetime: a day begins at midnight in the workspace."""
    if value is None or schema(entity).field(key).type is FieldType.DATETIME:
        return value
    return datetime.combine(value, time(), zone())


def _until_sentence(values: Values, entity: str) -> str:
    field, days = dict(times(entity)).get(values["field"], values["field"]), values["days"]
    if not days:
        return gettext("Wait until {field}").format(field=field)
    sentence = ngettext("Wait until {count} day after {field}", "Wait until {count} days after {field}", days)
    return sentence.format(count=formats.number(days), field=field)


def _until(context: Context, values: Values) -> Result:
    field = schema(context.entity).fields.get(values["field"])
    if field is None:
        sentence = gettext("The field “{field}” no longer exists. Choose another date in the workflow.")
        raise StepFailed(sentence.format(field=values["field"]))
    value = context.rows.values_list(orm_value(field)).get()[0]
    until = moment_of(context.entity, values["field"], value)
    if until is None:
        return Result(gettext("{field} is empty – skipped").format(field=field.label))
    until += timedelta(days=values["days"] or 0)
    if until <= context.now:
        return Result(gettext("{field} is in the past – skipped").format(field=field.label))
    return Result(gettext("Waiting until {moment}").format(moment=formats.moment(until)), until=until)


register(
    StepKind(
        "wait_until",
        _("Wait until date"),
        "calendar-clock",
        (
            Param("field", _("Date"), "select", times, refers=ReferenceKind.FIELD),
            Param("days", _("Days after"), "number", required=False, default="0"),
        ),
        sentence=_until_sentence,
        perform=_until,
    )
)

LATE = {"go_on": _("Continue"), "stop": _("Stop")}


def _watch_sentence(values: Values, entity: str) -> str:
    days = values["days"]
    if values["late"] == "stop":
        sentence = ngettext(
            "Wait until {condition} (up to {count} day), then stop",
            "Wait until {condition} (up to {count} days), then stop",
            days,
        )
    else:
        sentence = ngettext(
            "Wait until {condition} (up to {count} day), then continue",
            "Wait until {condition} (up to {count} days), then continue",
            days,
        )
    return sentence.format(condition=sentence_of(values["condition"], entity), count=formats.number(days))


def _watch(context: Context, values: Values) -> Result:
    condition = parse(values["condition"], context.entity, people=False)
    if context.holds(condition):
        return Result(gettext("Condition already met"))
    sentence = gettext("Waiting until {condition}").format(condition=condition.sentence)
    return Result(sentence, until=context.now + timedelta(days=values["days"]))


register(
    StepKind(
        "wait_for",
        _("Wait until condition is met"),
        "eye",
        (
            Param("condition", _("Condition"), "condition", help=CONDITION),
            Param("days", _("Give up after (days)"), "number", default="14"),
            Param("late", _("If not met"), "select", lambda entity: list(LATE.items()), default="go_on"),
        ),
        sentence=_watch_sentence,
        perform=_watch,
    )
)


def _branch(context: Context, values: Values) -> Result:
    condition = parse(values["condition"], context.entity, people=False)
    if context.holds(condition):
        return Result(gettext("Condition met: {condition}").format(condition=condition.sentence))
    here, steps = context.run.position, context.run.version.steps
    sentence = gettext("Condition not met: {condition}").format(condition=condition.sentence)
    return Result(sentence, jump=partner(steps, here, "otherwise", "end") + 1)


def _pass(context: Context, values: Values) -> Result:
    """Skip the Else steps: a run that reaches Else comes from the If branch."""
    end = partner(context.run.version.steps, context.run.position, "end")
    return Result(gettext("Continued after the branch"), jump=end + 1)


register(
    StepKind(
        "branch",
        _("If"),
        "split",
        (Param("condition", _("Condition"), "condition", help=CONDITION),),
        sentence=lambda values, entity: gettext("If {condition}").format(
            condition=sentence_of(values["condition"], entity)
        ),
        perform=_branch,
        depth=1,
    )
)
register(
    StepKind(
        "otherwise",
        _("Else"),
        "corner-down-right",
        (),
        lambda values, entity: gettext("Else"),
        _pass,
        depth=0,
    )
)
register(
    StepKind(
        "end",
        _("End if"),
        "corner-up-left",
        (),
        lambda values, entity: gettext("End if"),
        lambda context, values: Result(gettext("Continued")),
        depth=-1,
    )
)
