"""The sidebar entry of campaigns."""

from crm.kit.nav import NavItem, register
from crm.kit.translation import gettext_lazy as _

register(NavItem(_("Campaigns"), "campaigns", "megaphone", 55, key="m"))
