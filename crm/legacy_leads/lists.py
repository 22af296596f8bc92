"""The legacy workspace's list: columns, views, quick filters and bulk actions, as reps knew them."""

import django_filters

from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.entities import STATUSES
from crm.legacy_leads.models import ACTIVE, LegacyLead
from crm.lists.filters import QuickFilters, many
from crm.lists.spec import ListSpec, View
from crm.records.actions import record_actions


class LegacyLeadFilters(QuickFilters):
    """Filters of legacy leads: owner, status, source."""

    status = many(_("Status"), [(choice.value, choice.label) for choice in STATUSES])
    source = django_filters.CharFilter(field_name="source", lookup_expr="iexact", label=_("Source"))

    class Meta:
        model = LegacyLead
        fields: list[str] = []


IS_OPEN = f"status in ({', '.join(ACTIVE)}) and archived_at is empty"  # not a text

LEGACY_LEADS = ListSpec(
    entity="legacy_lead",
    columns=("name", "status", "company_name", "email", "estimated_value", "source", "owner", "created_at"),
    sort="-created_at",
    views=(
        View("open", _("Open leads"), IS_OPEN),
        View("my_open", _("My open leads"), f"{IS_OPEN} and owner = me"),  # not a text
        View("converted", _("Converted"), "status = Converted and archived_at is empty"),  # not a text
        View("lost", _("Lost"), "status = Lost and archived_at is empty"),  # not a text
        View("archived", _("Archived"), "archived_at is not empty"),  # not a text
        View("all", _("All")),
    ),
    actions=record_actions("legacy_lead"),
    filterset=LegacyLeadFilters,
    icon="archive",
    indexed=frozenset({"owner", "team"}),
    search_hint=_("Name, email, phone or company"),
)
