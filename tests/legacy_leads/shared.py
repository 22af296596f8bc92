"""Additions of legacy leads to whole-product tests, by tests.installed: so the app is removable."""

from pathlib import Path
from tempfile import TemporaryDirectory

from django.utils import timezone

from crm.legacy_leads import reads
from crm.legacy_leads.dropping.export import export, rehearse
from crm.legacy_leads.models import LegacyLead, LegacyVisit, MigrationRun, OldLeads
from crm.legacy_leads.moving.run import Order, commit
from crm.legacy_leads.moving.undo import undo_migration
from crm.legacy_leads.verbs.confirm_drop import confirm_drop
from crm.legacy_leads.verbs.create_legacy_leads import create_legacy_leads
from crm.lists.verbs.save_view import save_view
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from tests.factories import rows

ENTITIES = ("legacy_lead",)
READS = ("leads_legacyvisit",)  # written on reads of the retired table
DECLARED = ("legacy_lead", "old_leads")  # subjects in the log

# Every write path, for tests.audit.test_completeness, with data from prepare().
EVERY_FIELD = {
    "name": "Old Ana", "first_name": "Ana", "last_name": "Ruiz", "email": "old@x.example", "phone": "1",
    "company_name": "Fleetly", "status": "working", "source": "s", "estimated_value": "12.5", "currency": "usd",
    "description": "d", "external_id": "7",
}  # fmt: skip
UNIQUE_EMPTY = {"email": "", "external_id": ""}
WRITES = {
    "create old leads": lambda s: create_legacy_leads([EVERY_FIELD | {"contact": s.twin}], by=s.by("rep")),
    "edit old leads": lambda s: edit(rows(s.old), EVERY_FIELD | UNIQUE_EMPTY, by=s.by("manager")),
    "migrate old leads": lambda s: migrate(s),
    "export old leads": lambda s: exported(s),
    "confirm the drop": lambda s: migrate(s) and confirm_drop(by=s.by("admin")),
    "undo the migration": lambda s: migrate(s) and undo_migration(by=s.by("admin")),
}
WRITING_EACH = ("create old leads", "export old leads")

# Columns that could store references but don't (tests.uses).
NO_REFERENCES = {
    "legacy_leads.MigrationRun.amount_in": "sums",
    "legacy_leads.MigrationRun.amount_listed": "sums",
    "legacy_leads.MigrationRun.amount_opportunities": "sums",
    "legacy_leads.MigrationRun.kept": "records",
    "legacy_leads.MovedLead.told": "values of a record",
    "legacy_leads.OldLeads.plan": "figures and rows of a report",
}
# Allowed unscoped reads, with reasons (tests.users.test_scope).
UNSCOPED = {
    "crm/legacy_leads/reads.py",  # a read by command, or outside a workspace, counts for every workspace
    "crm/legacy_leads/dropping/drop.py",  # one table for all workspaces: all must be ready
}
# (URL, button, values, model) of a form submitted twice (tests.browser.test_double_click).
FORM = ("/lead/new", "Create", {"name": "Twice {n}", "email": "old{n}@x.example"}, LegacyLead)


def forget_reads() -> None:
    """Drop reads that were rolled back, so that the process doesn't write them at its end."""
    reads._pending.clear()


def prepare(stage) -> None:
    """Create the legacy leads changed by the write paths."""
    old = {"contact": stage.qualified, "estimated_value": "5", "company_name": "Fleetly", "description": "Vans"}
    others = [{"email": stage.boss.email, "phone": "9"}, {"first_name": "Cy", "status": "working"}]
    made = create_legacy_leads([{"name": "Old"} | old, *others], by=stage.by("rep"))
    stage.old = LegacyLead.objects.get(pk=made.done[0])


def migrate(stage):
    return commit(Order(), by=stage.by("admin"))


def exported(stage) -> None:
    """Export the legacy leads, and test-restore the file."""
    with TemporaryDirectory() as directory:
        export(Path(directory) / "old", by=stage.by("admin"))
        rehearse(Path(directory) / "old", by=stage.by("admin"))


def add_open(actor) -> None:
    """Add one legacy lead: without any the list is closed."""
    create_legacy_leads([{"name": "Old"}], by=actor("admin"))


def add_some(actor, contact) -> LegacyLead:
    """Add a page of legacy leads, linked to a contact; return the first."""
    texts = {"source": "Trade fair", "description": "Wants 120 vans", "company_name": "Fleetly", "contact": contact.pk}
    old = [{"name": f"Old {n:02}", "email": f"o{n}@old.example", "estimated_value": 900 * n} | texts for n in range(4)]
    return LegacyLead.objects.get(pk=create_legacy_leads(old, by=actor("rep")).done[0])


def make(mark: str, team, contact, by) -> LegacyLead:
    """Create a legacy lead with the mark in its texts."""
    texts = ("first_name", "last_name", "company_name", "source", "description")
    values = dict.fromkeys(texts, f"{mark} old") | {"contact": contact, "team": team, "external_id": f"{mark}-old"}
    values |= {"email": f"{mark}@old.example", "estimated_value": "9000"}
    return LegacyLead.objects.get(pk=create_legacy_leads([values], by=by).done[0])


def add_records(objects, mark: str, team, contact, act) -> None:
    """Add the legacy leads of a member of tests.security.world; `act()` returns an actor."""
    objects.legacy_lead = make(mark, team, contact, act())
    objects.trashed_legacy_lead = make(f"{mark}-trashed", team, contact, act())
    delete(rows(objects.trashed_legacy_lead), by=act(), reason=f"{mark} reason")


def add_settings(objects, admin, act) -> None:
    """Add a view, an undone migration and a read, by the workspace's admin."""
    mark, now = objects.mark, timezone.now()
    objects.legacy_lead_view = save_view("legacy_lead", f"{mark} shared", by=act(), shared=True)
    objects.migration = MigrationRun(state="undone", started_at=now, kept=[["contact", "", f"{mark} kept"]])
    objects.migration.save()
    objects.old_leads = OldLeads.objects.get()
    objects.visit = LegacyVisit.objects.create(member=admin, day=now, place=f"web /{mark}", last_at=now)


def routes(matrix) -> dict:
    """Return the URLs of legacy leads for tests.security.matrix, passed in."""
    route, admin = matrix.Route, matrix._admin
    return {
        **matrix._lists("legacy_lead"),
        "legacy_lead_export": route(page=False),
        "stayed_leads": route(),
        "lead_migration": route(matrix.ADMIN),
        "lead_migration_plan": route(matrix.ADMIN, page=False),
        "lead_migration_report": route(matrix.ADMIN, answers=(404,), page=False),  # no migration yet
        "lead_migration_act": route(None, matrix.ADMIN, kwargs={"action": "plan"}),
        **admin("legacy_leads_migrationrun", lambda own: own.migration),
        **admin("legacy_leads_legacylead", lambda own: own.legacy_lead),
        **admin("legacy_leads_oldleads", lambda own: own.old_leads),
        **admin("legacy_leads_legacyvisit", lambda own: own.visit),
    }
