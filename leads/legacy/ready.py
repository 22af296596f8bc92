"""What old leads register with the rest of the product, when LeadsConfig.ready() imports this."""

from audit.undo.hooks import hold_back
from contacts.hooks import on_merge, show_in_timeline
from crm.lists.imports.registry import register
from leads.legacy import entities, events, kind, lists, nav, panels, reads  # noqa: F401 (they register themselves)
from leads.legacy.imports.importer import LegacyLeadImporter
from leads.legacy.merging import move_links
from leads.legacy.moving import background  # noqa: F401 (its job registers itself)
from leads.legacy.moving.undo import hold_migrated
from leads.legacy.timeline import names

show_in_timeline("legacy_lead", names=names)
on_merge(move_links)
register(LegacyLeadImporter)
hold_back(hold_migrated)
