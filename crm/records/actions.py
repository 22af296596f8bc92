"""Bulk actions of all record types."""

from collections.abc import Callable
from typing import Any

from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.forms import WaitForm, day_begins
from crm.lifecycle.verbs.wait import wait
from crm.lists.spec import BulkAction
from crm.records import forms
from crm.records.verbs.assign import KEEP, assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore


def run_verb(verb: Callable[..., Outcome]) -> Callable[[Any, dict, Actor], Outcome]:
    """Return a verb as bulk action, with the answers of its form."""
    return lambda rows, values, by: verb(rows, by=by, **values)


def _assign(rows, values: dict, by: Actor) -> Outcome:
    team = KEEP if values["team"] == "keep" else (values["team"] or None)
    return assign(rows, values["owner"], by=by, team=team)


def _edit(rows, values: dict, by: Actor) -> Outcome:
    return edit(rows, {values["field"]: values["value"]}, by=by)


def _wait(rows, values: dict, by: Actor) -> Outcome:
    return wait(rows, by=by, reason=values["reason"], until=day_begins(values["until"]))


WAIT = BulkAction("wait", _("Snooze"), "hourglass", _wait, lambda by: WaitForm, _("Snoozed"))


def record_actions(entity: str, *others: BulkAction) -> tuple[BulkAction, ...]:
    """Return the bulk actions of all record types, with a type's `others` in between."""
    return (
        BulkAction("assign", _("Assign"), "user-check", _assign, forms.assign_form, _("Assigned")),
        *others,
        BulkAction("edit", _("Edit"), "pencil", _edit, forms.bulk_edit_form(entity), _("Updated")),
        BulkAction("delete", _("Move to trash"), "trash-2", run_verb(delete), forms.delete_form, _("Moved to trash")),
        BulkAction(
            "restore", _("Restore"), "archive-restore", run_verb(restore), forms.no_form, _("Restored"), trash=True
        ),
    )
