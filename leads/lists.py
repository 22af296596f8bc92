"""The list of leads at /qualification: columns, views, quick filters and bulk actions."""

import django_filters

from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.nav import COUNT_LIMIT, PROCESS, NavItem
from crm.kit.translation import gettext_lazy as _
from crm.lists.filters import QuickFilters, many
from crm.lists.spec import BulkAction, ListSpec, View
from crm.records.actions import WAIT, record_actions, run_verb
from crm.records.forms import move_form, no_form
from crm.users.roles import LOWEST_ROLE, Right
from leads.axes import OPEN, STAGE, STATUS
from leads.forms import QualifyManyForm
from leads.models import Lead
from leads.verbs.first_contact import first_contact
from leads.verbs.lose_leads import lose_leads
from leads.verbs.qualify import qualify
from leads.work_order import RUNNING


class DeadlineFilter(django_filters.ChoiceFilter):
    """Filter by first contact: due or overdue."""

    def __init__(self, **kwargs):
        choices = [("overdue", _("Overdue")), ("running", _("Not overdue"))]
        super().__init__(choices=choices, empty_label=_("Any"), label=_("Deadline"), **kwargs)

    def filter(self, rows, value):
        now = clock.now()
        wanted = {"overdue": {"contact_by__lt": now}, "running": {"contact_by__gte": now}}
        return rows.filter(RUNNING, **wanted[value]) if value else rows


class LeadFilters(QuickFilters):
    """Filters of leads: owner, status, source and first contact."""

    status = many(_("Status"), [(choice.value, choice.label) for choice in STATUS.values])
    stage = many(_("Qualification stage"), [(choice.value, choice.label) for choice in STAGE.values])
    deadline = DeadlineFilter()
    source = django_filters.CharFilter(field_name="source", lookup_expr="iexact", label=_("Source"))

    class Meta:
        model = Lead
        fields: list[str] = []


IS_OPEN = f"status in ({', '.join(OPEN)})"  # not a text
MINE = "owner = me"
LOSE = move_form(STATUS, STATUS.by_verb["lose"])

LEADS = ListSpec(
    entity="lead",
    columns=(
        "name",
        "company",
        "status",
        "deadline",  # the last column shown on phones
        "stage",
        "qualification_score",
        "owner",
        "source",
        "next_action",
    ),
    sort="-created_at",
    views=(
        View(
            "queue",
            _("Work queue"),
            f"{IS_OPEN} and ({MINE} or team = my team)",  # not a text
            sort="work_order",
            for_managers=IS_OPEN,
        ),
        View("my_open", _("My open leads"), f"{IS_OPEN} and {MINE}", sort="work_order"),
        View("sales_qualified", _("Sales Qualified"), f"{IS_OPEN} and stage = sales_qualified"),  # not a text
        View(
            "converted",
            _("Converted Leads"),
            "status = converted",
            ("name", "company", "converted_date", "opportunity", "qualification_score", "owner", "source"),
        ),
        View(
            "lost",
            _("Lost Leads"),
            "status = lost",
            ("name", "company", "lost_reason", "lost_date", "stage", "qualification_score", "owner", "source"),
        ),
        View("all", _("All")),
    ),
    actions=record_actions(
        "lead",
        BulkAction(
            "first_contact",
            _("Log first contact"),
            "phone",
            run_verb(first_contact),
            no_form,
            _("First contacts logged"),
        ),
        BulkAction(
            "qualify", _("Qualify"), "badge-check", run_verb(qualify), lambda by: QualifyManyForm, _("Qualified")
        ),
        BulkAction("lose", _("Mark as lost"), "circle-x", run_verb(lose_leads), lambda by: LOSE, _("Marked as lost")),
        WAIT,
    ),
    filterset=LeadFilters,
    icon="sprout",
    indexed=frozenset({"status", "stage", "owner", "team"}),
    search_hint=_("Name, email, phone, source or campaign"),
)


def my_open(by: Actor):
    """Return the member's open leads, for the sidebar count."""
    return Lead.objects.open().filter(owner=by.member_id).order_by().values("pk")[:COUNT_LIMIT]


NAV = (
    NavItem(_("Leads"), "lead_list", "sprout", 30, count=my_open, key="q"),
    NavItem(_("Assignment"), "assignment", "git-branch", 60, PROCESS, role=LOWEST_ROLE[Right.WORKSPACE]),
    NavItem(_("First-contact SLA"), "first_contact", "alarm-clock", 65, PROCESS, role=LOWEST_ROLE[Right.WORKSPACE]),
)
