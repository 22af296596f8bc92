"""Sidebar and settings entries of legacy leads."""

from django.db.models import F, QuerySet

from crm.kit.actor import Actor, Role
from crm.kit.nav import DATA, NavItem, register, register_fact
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.access import open_rows
from crm.legacy_leads.models import MovedLead


def _stayed(by: Actor) -> QuerySet:
    return MovedLead.objects.visible_to(by).filter(contact__isnull=True).values(fact=F("pk"))[:1]


register_fact("legacy_leads", open_rows)
register_fact("stayed_leads", _stayed)
register(NavItem(_("Legacy leads"), "legacy_lead_list", "archive", 35, fact="legacy_leads"))
register(NavItem(_("Legacy leads"), "stayed_leads", "archive", 36, fact="stayed_leads"))
register(NavItem(_("Lead migration"), "lead_migration", "truck", 60, DATA, role=Role.ADMIN))
