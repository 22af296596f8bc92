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
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Reason
from crm.lists.filters import QuickFilters, many
from crm.lists.paging import sample_keys
from crm.lists.spec import BulkAction, ListSpec, View
from crm.records.actions import WAIT, record_actions
from crm.records.forms import CHOOSE


class ContactFilters(QuickFilters):
    """Filters of contacts: owner, stage and source."""

    stage = many(_("Lifecycle Stage"), [(choice.value, choice.label) for choice in LIFECYCLE.values])
    source = django_filters.CharFilter(field_name="source", lookup_expr="iexact", label=_("Source"))

    class Meta:
        model = Contact
        fields: list[str] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["stage"].field_name = "lifecycle_stage"


class CompanyFilters(QuickFilters):
    """Filters of companies: owner and country."""

    country = django_filters.CharFilter(field_name="country", lookup_expr="iexact", label=_("Country"))

    class Meta:
        model = Company
        fields: list[str] = []


def _move(rows, values: dict, by: Actor) -> Outcome:
    return VERBS[values["verb"]](rows, by=by, reason=values["reason"])


def stage_form(by: Actor) -> type[forms.Form]:
    moves = [move for move in LIFECYCLE.moves if move.target and by.is_at_least(move.role)]
    explained = [str(LIFECYCLE.value(move.target).label) for move in moves if move.reason == Reason.REQUIRED]

    class StageForm(forms.Form):
        verb = forms.ChoiceField(label=_("Move to"), choices=[CHOOSE, *((m.verb, _move_label(m)) for m in moves)])
        reason = forms.CharField(
            max_length=1000,
            required=False,
            label=_("Reason"),
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text=gettext("Required for: {stages}.").format(stages=", ".join(explained)),
        )

    return StageForm


def _move_label(move) -> str:
    sources = ", ".join(str(LIFECYCLE.value(source).label) for source in move.sources)
    return gettext("{stage} (from {stages})").format(stage=LIFECYCLE.value(move.target).label, stages=sources)


CONTACTS = ListSpec(
    entity="contact",
    columns=("name", "lifecycle_stage", "email", "company", "owner", "source", "last_activity"),
    sort="-last_activity",
    views=(
        View("contacts_leads", _("Active Leads"), "Lifecycle Stage IN (Lead, Qualified)"),  # not a text
        View("all", _("All")),
        View("my_customers", _("My Customers"), "Lifecycle Stage = Customer AND owner = me"),
        View("lost_reapproach", _("Lost, to re-approach"), "Lifecycle Stage = Lost AND last_activity > 90 days ago"),
        View("churned-customers", _("Churned customers"), "Lifecycle Stage = Churned"),  # not a text
    ),
    actions=record_actions(
        "contact",
        BulkAction("stage", _("Change stage"), "arrow-right-left", _move, stage_form, _("Stage changed")),
        WAIT,
    ),
    filterset=ContactFilters,
    icon="users",
    indexed=frozenset({"lifecycle_stage", "owner", "team", "last_activity"}),
    search_hint=_("Name, email, phone or company"),
)
COMPANIES = ListSpec(
    entity="company",
    columns=("name", "industry", "city", "country", "employees", "owner", "created_at"),
    sort="name",
    views=(View("all", _("All")), View("mine", _("Mine"), "owner = me")),
    actions=record_actions("company"),
    filterset=CompanyFilters,
    icon="building-2",
    indexed=frozenset({"owner", "team"}),
    search_hint=_("Name, domain or phone"),
)


def _in_view(slug: str, by: Actor):
    """Return a built-in view's contacts for a member, for the sidebar count."""
    view = next(view for view in CONTACTS.views if view.slug == slug)
    condition = parse(view.condition, "contact")
    expression = condition.expression(Viewer.looking(by), clock.now())
    return sample_keys(Contact.objects.live().filter(expression), by, COUNT_LIMIT)


MY_DAY = NavItem(_("My day"), "home", "house", 10, count=lambda by: due_tasks(by)[:COUNT_LIMIT], key="h")
CONTACTS_NAV = (
    MY_DAY,
    NavItem(_("Contacts"), "contact_list", "users", 20, key="c"),
    NavItem(
        _("My Customers"),
        "contact_list",
        "users",
        21,
        count=partial(_in_view, "my_customers"),
        query="?view=my_customers",
        parent="contact_list",
    ),
    NavItem(
        _("To re-approach"),
        "contact_list",
        "users",
        22,
        count=partial(_in_view, "lost_reapproach"),
        query="?view=lost_reapproach",
        parent="contact_list",
    ),
)
COMPANIES_NAV = (NavItem(_("Companies"), "company_list", "building-2", 50, key="o"),)
