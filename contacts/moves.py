"""The verbs of the lifecycle by name, for pages, bulk actions and imports that are told which."""

from collections.abc import Callable

from contacts.verbs.churn import churn
from contacts.verbs.lose import lose
from contacts.verbs.partner import partner
from contacts.verbs.qualify import qualify
from contacts.verbs.reopen import reopen
from contacts.verbs.win import win
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet

VERBS: dict[str, Callable[[RecordQuerySet, str, Actor], Outcome]] = {
    "qualify": lambda rows, reason, by: qualify(rows, by=by),
    "win": lambda rows, reason, by: win(rows, by=by),
    "lose": lambda rows, reason, by: lose(rows, by=by, reason=reason),
    "churn": lambda rows, reason, by: churn(rows, by=by, reason=reason),
    "partner": lambda rows, reason, by: partner(rows, by=by, reason=reason),
    "reopen": lambda rows, reason, by: reopen(rows, by=by, reason=reason),
}
