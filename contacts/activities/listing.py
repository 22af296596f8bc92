"""The list of activities: columns, views, quick filters and bulk actions."""

from datetime import timedelta

import django_filters
from django import forms
from django.db import transaction

from contacts.forms import OUTCOMES
from contacts.models import Activity
from contacts.verbs.complete import complete
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.postpone import postpone
from contacts.verbs.restore_activity import restore_activity
from crm.entities.people import members
from crm.entities.values import zone
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.nav import NavItem
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext, pgettext_lazy
from crm.kit.translation import gettext_lazy as _
from crm.lists.filters import QuickFilters, many
from crm.lists.spec import BulkAction, ListSpec, View
from crm.records.actions import run_verb
from crm.records.forms import CHOOSE, no_form
from crm.users.models import Membership


class AssigneeFilter(django_filters.ChoiceFilter):
    """Activities by assignee: mine, my team's, nobody's."""

    def __init__(self, **kwargs):
        choices = [("me", _("Mine")), ("team", _("My team’s")), ("nobody", _("Unassigned"))]
        super().__init__(choices=choices, empty_label=_("Any assignee"), label=_("Assignee"), **kwargs)

    def filter(self, rows, value):
        by: Actor = self.parent.by
        wanted = {
            "me": {"assignee": by.member_id},
            "team": {"assignee__team": by.team_id or 0},  # without a team: none, as in conditions
            "nobody": {"assignee__isnull": True},
        }
        return rows.filter(**wanted[value]) if value else rows


class ActivityFilters(QuickFilters):
    """Filters of activities: assignee, type, status."""

    owner = None  # type: ignore[assignment]
    assignee = AssigneeFilter()
    kind = many(_("Type"), Activity.KINDS)
    status = many(_("Status"), Activity._meta.get_field("status").choices)

    class Meta:
        model = Activity
        fields: list[str] = []


def complete_form(by: Actor) -> type[forms.Form]:
    class OutcomeForm(forms.Form):
        outcome = forms.ChoiceField(
            label=_("Outcome of calls"),
            choices=OUTCOMES,
            required=False,
            help_text=_("Required if a call is selected. Only a connected call counts as first contact."),
        )

    return OutcomeForm


@transaction.atomic
def _complete(rows, values: dict, by: Actor) -> Outcome:
    """Complete calls with their outcome, and all others."""
    calls = complete(rows.filter(kind="call"), by=by, outcome=values["outcome"])
    others = complete(rows.exclude(kind="call"), by=by)
    return Outcome(by.change, calls.done + others.done, calls.refused | others.refused)


def assignee_form(by: Actor) -> type[forms.Form]:
    active = {*Membership.objects.active().values_list("pk", flat=True)}
    people = sorted(((pk, row.label) for pk, row in members().rows.items() if pk in active), key=lambda row: row[1])

    class AssigneeForm(forms.Form):
        assignee = forms.TypedChoiceField(label=_("Assignee"), choices=[CHOOSE, *people], coerce=int)

    return AssigneeForm


def postpone_form(by: Actor) -> type[forms.Form]:
    class PostponeForm(forms.Form):
        day = forms.DateField(
            label=_("New due date"),
            initial=lambda: clock.now().astimezone(zone()).date() + timedelta(days=1),
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            help_text=_("Each activity keeps its time of day."),
        )

    return PostponeForm


def _reassign(rows, values: dict, by: Actor) -> Outcome:
    return edit_activity(rows, values, by=by)


@transaction.atomic
def _cancel(rows, values: dict, by: Actor) -> Outcome:
    """Cancel planned activities. What took place stays: it is edited or deleted one by one."""
    outcome = edit_activity(rows.filter(status="pending"), {"status": "cancelled"}, by=by)
    others = rows.visible_to(by).exclude(pk__in=[*outcome.done, *outcome.refused])
    outcome.refuse(others.values_list("pk", flat=True), gettext("This activity is already closed."))
    return outcome


MINE = "status = pending and assignee = me"  # not a text
PLANNED = ("subject", "due_at", "contact", "company", "kind", "priority", "assignee")
HELD = ("subject", "at", "contact", "company", "status", "minutes", "owner")

ACTIVITIES = ListSpec(
    entity="activity",
    columns=("subject", "at", "contact", "company", "kind", "status", "assignee", "owner"),
    sort="-at",
    views=(
        View("my_tasks", _("My tasks"), MINE, PLANNED, "due_at"),
        View("overdue", _("Overdue"), f"{MINE} and due_at < now", PLANNED, "due_at"),  # not a text
        View("today", _("Today"), f"{MINE} and due_at = today", PLANNED, "due_at"),  # not a text
        View("week", _("Next 7 days"), f"{MINE} and due_at <= 7 days from now", PLANNED, "due_at"),  # not a text
        View("team", _("My team’s"), "status = pending and team = my team", PLANNED, "due_at"),  # not a text
        View("calls", _("Calls"), "kind = call", (*HELD[:4], "outcome", *HELD[4:]), "-at"),  # not a text
        View("meetings", _("Meetings"), "kind = meeting", HELD, "-at"),  # not a text
        View("all", _("All")),
    ),
    actions=(
        BulkAction("complete", _("Complete"), "check", _complete, complete_form, _("Completed")),
        BulkAction("reassign", _("Reassign"), "user-check", _reassign, assignee_form, _("Reassigned")),
        BulkAction("postpone", _("Postpone"), "clock", run_verb(postpone), postpone_form, _("Postponed")),
        BulkAction(
            "cancel", _("Cancel activities"), "circle-x", _cancel, no_form, pgettext_lazy("activities", "Canceled")
        ),
        BulkAction("delete", _("Move to trash"), "trash-2", run_verb(delete_activity), no_form, _("Moved to trash")),
        BulkAction(
            "restore", _("Restore"), "archive-restore", run_verb(restore_activity), no_form, _("Restored"), trash=True
        ),
    ),
    filterset=ActivityFilters,
    icon="list-checks",
    indexed=frozenset({"assignee"}),
    search_hint=_("Subject, contact or company"),
)


ACTIVITIES_NAV = NavItem(_("Activities"), "activity_list", "list-checks", 12, key="a")
