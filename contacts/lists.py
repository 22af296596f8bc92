"""The list pages of contacts and companies: their columns, views, quick filters and bulk actions."""

from functools import partial

import django_filters

from contacts import forms
from contacts.axes import LIFECYCLE
from contacts.models import Company, Contact
from contacts.moves import VERBS
from contacts.verbs.assign import KEEP, assign
from contacts.verbs.delete import delete
from contacts.verbs.edit import edit
from contacts.verbs.restore import restore
from contacts.views.home import due_tasks
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.nav import COUNT_LIMIT, NavItem
from crm.kit.nav import register as show
from crm.kit.outcome import Outcome
from crm.lifecycle.forms import WaitForm, day_begins
from crm.lifecycle.verbs.wait import wait
from crm.lists.filters import QuickFilters, many
from crm.lists.paging import count_sample
from crm.lists.spec import BulkAction, ListSpec, View, register


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


def _assign(rows, values: dict, by: Actor) -> Outcome:
    team = KEEP if values["team"] == "keep" else (values["team"] or None)
    return assign(rows, values["owner"], by=by, team=team)


def _move(rows, values: dict, by: Actor) -> Outcome:
    return VERBS[values["verb"]](rows, values["reason"], by)


def _edit(rows, values: dict, by: Actor) -> Outcome:
    return edit(rows, {values["field"]: values["value"]}, by=by)


def _delete(rows, values: dict, by: Actor) -> Outcome:
    return delete(rows, by=by, reason=values["reason"])


def _wait(rows, values: dict, by: Actor) -> Outcome:
    return wait(rows, by=by, reason=values["reason"], until=day_begins(values["until"]))


WAIT = BulkAction("wait", "Wait", "hourglass", _wait, lambda by: WaitForm, "Waiting")


def _restore(rows, values: dict, by: Actor) -> Outcome:
    return restore(rows, by=by)


def record_actions(entity: str) -> tuple[BulkAction, ...]:
    """What can be done with the selected records of every kind."""
    return (
        BulkAction("assign", "Assign", "user-check", _assign, forms.assign_form, "Assigned"),
        BulkAction("edit", "Edit", "pencil", _edit, forms.bulk_edit_form(entity), "Changed"),
        BulkAction("delete", "Delete", "trash-2", _delete, forms.delete_form, "Moved to the trash"),
        BulkAction("restore", "Restore", "archive-restore", _restore, forms.no_form, "Restored", trash=True),
    )


CONTACTS = register(
    ListSpec(
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
        actions=(
            record_actions("contact")[0],
            BulkAction("stage", "Stage", "arrow-right-left", _move, forms.stage_form, "Moved"),
            WAIT,
            *record_actions("contact")[1:],
        ),
        filterset=ContactFilters,
        icon="users",
        indexed=frozenset({"lifecycle_stage", "owner", "team", "last_activity"}),
        search_hint="Name, e-mail, phone or company",
    )
)
COMPANIES = register(
    ListSpec(
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
)


def _in_view(slug: str, by: Actor):
    """The contacts of a built-in view that a member sees, for its count in the sidebar."""
    view = next(view for view in CONTACTS.views if view.slug == slug)
    condition = parse(view.condition, "contact")
    expression = condition.expression(Viewer.looking(by), clock.now())
    return count_sample(Contact.objects.live().filter(expression), by, COUNT_LIMIT)


show(NavItem("My day", "home", "house", 10, count=lambda by: due_tasks(by)[:COUNT_LIMIT], key="h"))
show(NavItem("Contacts", "contact_list", "users", 20, key="c"))
show(
    NavItem(
        "My Customers",
        "contact_list",
        "users",
        21,
        count=partial(_in_view, "my_customers"),
        query="?view=my_customers",
        parent="contact_list",
    )
)
show(
    NavItem(
        "To re-approach",
        "contact_list",
        "users",
        22,
        count=partial(_in_view, "lost_reapproach"),
        query="?view=lost_reapproach",
        parent="contact_list",
    )
)
show(NavItem("Companies", "company_list", "building-2", 50, key="o"))
