"""The list pages of contacts and companies: their columns, views, quick filters and bulk actions."""

from functools import partial

import django_filters
from django import forms

from contacts.axes import LIFECYCLE
from contacts.day import due_tasks
from contacts.models import Company, Contact
from contacts.moves import VERBS
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.nav import COUNT_LIMIT, NavItem
from crm.kit.outcome import Outcome
from crm.lifecycle.axes import Reason
from crm.lists.filters import QuickFilters, many
from crm.lists.paging import sample_keys
from crm.lists.spec import BulkAction, ListSpec, View
from crm.records.actions import WAIT, record_actions
from crm.records.forms import CHOOSE


class ContactFilters(QuickFilters):
    """Whose contacts, at which stage, from where."""

    stage = many("Stage", [(choice.value, choice.label) for choice in LIFECYCLE.values])
    source = django_filters.CharFilter(field_name="source", lookup_expr="iexact", label="Source")

    class Meta:
        model = Contact
        fields: list[str] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["stage"].field_name = "lifecycle_stage"


class CompanyFilters(QuickFilters):
    """Whose companies, in which country."""

    country = django_filters.CharFilter(field_name="country", lookup_expr="iexact", label="Country")

    class Meta:
        model = Company
        fields: list[str] = []


def _move(rows, values: dict, by: Actor) -> Outcome:
    return VERBS[values["verb"]](rows, by=by, reason=values["reason"])


def stage_form(by: Actor) -> type[forms.Form]:
    moves = [move for move in LIFECYCLE.moves if move.target and by.is_at_least(move.role)]

    class StageForm(forms.Form):
        verb = forms.ChoiceField(label="Move to", choices=[CHOOSE, *((m.verb, _move_label(m)) for m in moves)])
        reason = forms.CharField(
            max_length=1000,
            required=False,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="Needed for: " + ", ".join(m.label for m in moves if m.reason == Reason.REQUIRED),
        )

    return StageForm


def _move_label(move) -> str:
    return f"{LIFECYCLE.value(move.target).label} (from {LIFECYCLE.names(move.sources)})"


CONTACTS = ListSpec(
    entity="contact",
    columns=("name", "lifecycle_stage", "email", "company", "owner", "source", "last_activity"),
    sort="-last_activity",
    views=(
        View("contacts_leads", "Active Leads", "Lifecycle Stage IN (Lead, Qualified)"),
        View("all", "All"),
        View("my_customers", "My Customers", "Lifecycle Stage = Customer AND owner = me"),
        View("lost_reapproach", "Lost, to re-approach", "Lifecycle Stage = Lost AND last_activity > 90 days ago"),
        View("churned-customers", "Churned customers", "Lifecycle Stage = Churned"),
    ),
    actions=record_actions(
        "contact",
        BulkAction("stage", "Stage", "arrow-right-left", _move, stage_form, "Moved"),
        WAIT,
    ),
    filterset=ContactFilters,
    icon="users",
    indexed=frozenset({"lifecycle_stage", "owner", "team", "last_activity"}),
    search_hint="Name, e-mail, phone or company",
)
COMPANIES = ListSpec(
    entity="company",
    columns=("name", "industry", "city", "country", "employees", "owner", "created_at"),
    sort="name",
    views=(View("all", "All"), View("mine", "Mine", "owner = me")),
    actions=record_actions("company"),
    filterset=CompanyFilters,
    icon="building-2",
    indexed=frozenset({"owner", "team"}),
    search_hint="Name, domain or phone",
)


def _in_view(slug: str, by: Actor):
    """The contacts of a built-in view that a member sees, for its count in the sidebar."""
    view = next(view for view in CONTACTS.views if view.slug == slug)
    condition = parse(view.condition, "contact")
    expression = condition.expression(Viewer.looking(by), clock.now())
    return sample_keys(Contact.objects.live().filter(expression), by, COUNT_LIMIT)


MY_DAY = NavItem("My day", "home", "house", 10, count=lambda by: due_tasks(by)[:COUNT_LIMIT], key="h")
CONTACTS_NAV = (
    MY_DAY,
    NavItem("Contacts", "contact_list", "users", 20, key="c"),
    NavItem(
        "My Customers",
        "contact_list",
        "users",
        21,
        count=partial(_in_view, "my_customers"),
        query="?view=my_customers",
        parent="contact_list",
    ),
    NavItem(
        "To re-approach",
        "contact_list",
        "users",
        22,
        count=partial(_in_view, "lost_reapproach"),
        query="?view=lost_reapproach",
        parent="contact_list",
    ),
)
COMPANIES_NAV = (NavItem("Companies", "company_list", "building-2", 50, key="o"),)
