"""The sidebar entry of definitions."""

from crm.kit.nav import NavItem, register
from crm.kit.translation import gettext_lazy as _

register(NavItem(_("Lifecycle"), "lifecycle", "book-open-check", 80, key="l"))
