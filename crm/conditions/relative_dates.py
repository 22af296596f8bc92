"""Times in conditions, e.g. “90 days ago”, as bounds to compare a column with."""

import calendar
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from crm.conditions.tree import Kind, Operand
from crm.entities.fields import FieldType

Moment = date | datetime
Bound = tuple[str, Moment]
DAY = timedelta(days=1)


def bounds(type: FieldType, operator: str, operand: Operand, now: datetime, tz: ZoneInfo) -> list[Bound]:
    """Return the bounds that a date or date-time must all meet: pairs of an operator (= < <= > >=) and a limit.

    On dates a day is the workspace's calendar day, on date-times 24 hours; `today` and a bare date are calendar days on
    both. `> N ago` is older, `< N ago` between then and now; `< N from now` between now and then.
    """
    moment: Moment = now if type is FieldType.DATETIME else now.astimezone(tz).date()
    match operand.kind:
        case Kind.AGO:
            return _ago(operator, shift(moment, operand.value, -1, tz), moment)
        case Kind.FROM_NOW:
            return _from_now(operator, shift(moment, operand.value, 1, tz), moment)
        case Kind.NOW:
            return [(operator, now)]
        case Kind.TODAY:
            limit: Moment = now.astimezone(tz).date()
        case _:
            limit = operand.value
    if type is FieldType.DATETIME and not isinstance(limit, datetime):
        return _on_day(operator, start_of(limit, tz), start_of(limit + DAY, tz))
    return [(operator, limit)]


def start_of(day: date, tz: ZoneInfo) -> datetime:
    """Return the instant at which a calendar day begins in a time zone."""
    return datetime(day.year, day.month, day.day, tzinfo=tz)


def shift(moment: Moment, span: tuple[int, str], sign: int, tz: ZoneInfo) -> Moment:
    """Return `moment` shifted by (amount, unit). A month is a calendar month in the workspace's zone, cut to fit."""
    amount, unit = span
    if unit != "month":
        return moment + sign * timedelta(**{f"{unit}s": amount})
    if isinstance(moment, datetime):
        return _add_months(moment.astimezone(tz), sign * amount)
    return _add_months(moment, sign * amount)


def _add_months(moment: Moment, months: int) -> Moment:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _ago(operator: str, then: Moment, here: Moment) -> list[Bound]:
    match operator:
        case "<":
            return [(">", then), ("<=", here)]
        case "<=":
            return [(">=", then), ("<=", here)]
        case ">":
            return [("<", then)]
        case ">=":
            return [("<=", then)]
    return [(">", then - DAY), ("<=", then)]  # on dates: that day; on date-times: that many whole days ago


def _from_now(operator: str, then: Moment, here: Moment) -> list[Bound]:
    match operator:
        case "<" | "<=":
            return [(">=", here), (operator, then)]
        case ">" | ">=":
            return [(operator, then)]
    return [(">=", then), ("<", then + DAY)]


def _on_day(operator: str, start: datetime, end: datetime) -> list[Bound]:
    match operator:
        case "<":
            return [("<", start)]
        case "<=":
            return [("<", end)]
        case ">":
            return [(">=", end)]
        case ">=":
            return [(">=", start)]
    return [(">=", start), ("<", end)]
