"""migrate_leads --undo: untouched results are deleted, changed ones kept and listed, and it can run again."""

import pytest
from django.core.management import call_command

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Activity, Company, Contact
from contacts.verbs.log import log
from contacts.verbs.merge import merge
from contacts.verbs.override import override
from crm.kit.errors import Refused
from crm.legacy_leads.models import LegacyLead, MigrationRun
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.win import win
from crm.records.verbs.edit import edit
from leads.models import Lead
from tests.factories import make_contact, make_opportunity, manager, rows


@pytest.fixture
def undo_it(acme, capsys):
    """Undo like the command; return kept records as (entity, reason)."""

    def run():
        call_command("migrate_leads", workspace="acme", undo=True)
        newest = MigrationRun.objects.first()
        return [(entity, sentence) for entity, _, sentence in newest.kept]

    return run


def everything():
    """Return what the migration can change, without versions and change times."""
    tables = ((Contact, "name email notes phone lifecycle_stage owner company"), (Lead, "contact status source"))
    tables += ((Opportunity, "contact amount stage"), (Company, "name"))
    tables += ((LegacyLead, "name archived_at became_contact became_opportunity run outcome outcome_note value_note"),)
    return [list(model.objects.order_by("pk").values_list("pk", *names.split())) for model, names in tables]


def test_everything_is_as_it_was(old, migrate, undo_it):
    ana = make_contact("Ana", stage="qualified", phone="", notes="Prefers mail")
    old(
        "Ana", contact=ana, estimated_value="5", phone="1", description="Vans", company_name="Fleetly", status="working"
    )
    old("Bo", email="bo@x.example", source="Fair")
    old("Cy", status="lost")
    before = everything()
    migrate(commit=True, include_lost=True, batch_size=1)
    assert everything() != before
    assert undo_it() == []
    assert everything() == before
    run = MigrationRun.objects.get()
    assert run.state == "undone" and run.undone_at


def test_after_an_undo_it_can_be_run_again_to_the_same_end(old, migrate, undo_it):
    old("Ana", contact=make_contact("Ana"), estimated_value="5")
    old("Bo", email="bo@x.example", estimated_value="7")
    first = migrate(commit=True)[1]
    undo_it()
    assert migrate(commit=True)[1] == first
    assert Contact.objects.count() == 2


def test_what_somebody_touched_is_kept_listed_and_not_made_twice(old, migrate, undo_it, actor):
    ana = make_contact("Ana", notes="")
    old("Ana", contact=ana, estimated_value="5", description="Vans")
    touched = old("Bo")
    old("Cy")
    migrate(commit=True)
    bo = Contact.objects.get(name="Bo")
    log([{"kind": "call", "outcome": "connected", "subject": "Hello", "contact_id": bo.pk}], by=actor("manager"))
    edit(rows(ana), {"notes": "Mine"}, by=actor("manager"))
    move_stage(Opportunity.objects.all(), to="proposal", by=actor("manager"))
    kept = undo_it()
    assert ("contact", "The record has changed since then.") in kept
    assert ("contact", "Notes was changed again afterwards.") in kept
    assert ("opportunity", "The record has changed since then.") in kept
    assert set(Contact.objects.values_list("name", flat=True)) == {"Ana", "Bo"}
    assert LegacyLead.objects.filter(archived_at__isnull=True).count() == 3
    touched.refresh_from_db()
    assert touched.became_contact == bo
    report = migrate(commit=True)[1]
    assert (report["created"], report["reused"], report["opportunities"]) == (1, 2, 0)
    assert Contact.objects.filter(name="Bo").count() == 1


def test_a_day_of_work_is_not_lost(old, migrate, undo_it, actor):
    linked, other, survivor = make_contact("Ana", notes="Before"), make_contact("Bo"), make_contact("Survivor")
    old("Ana", contact=linked, estimated_value="5", description="Vans", status="working")
    old("Bo", contact=other, source="Fair")
    for name in ("Edited", "Called", "Merged", "Deal", "Qualified", "Untouched"):
        old(name, email=f"{name.lower()}@x.example", company_name=f"{name} Ltd")
    migrate(commit=True)
    called, merged = (Contact.objects.filter(name=name) for name in ("Called", "Merged"))
    edit(Contact.objects.filter(name="Edited"), {"title": "CFO"}, by=actor("manager"))
    log(
        [{"kind": "call", "outcome": "connected", "subject": "Spoke", "contact_id": called.get().pk}],
        by=actor("manager"),
    )
    log([{"kind": "note", "subject": "Wants more", "contact_id": merged.get().pk}], by=actor("manager"))
    merge(survivor, merged, by=actor("manager"))
    won = Opportunity.objects.get()
    move_stage(rows(won), to="proposal", by=actor("manager"))
    win(rows(won), by=actor("manager"))
    deal = make_opportunity("New deal", contact=Contact.objects.get(name="Deal"), amount="7")
    override(Contact.objects.filter(name="Qualified"), to="qualified", by=actor("manager"), reason="Met them")
    edit(rows(other), {"phone": "77"}, by=actor("manager"))
    work = Entry.objects.exclude(change=MigrationRun.objects.get().change).count()
    kept = undo_it()
    found = dict(Contact.objects.values_list("name", "lifecycle_stage"))
    assert found == {
        "Ana": "customer",
        "Bo": "lead",
        "Survivor": "lead",
        "Edited": "lead",
        "Called": "lead",
        "Merged": "lead",
        "Deal": "lead",
        "Qualified": "qualified",
    }
    assert Contact.objects.get(name="Edited").title == "CFO"
    assert Contact.objects.get(name="Merged").merged_into == survivor
    assert set(Activity.objects.values_list("subject", "contact__name")) >= {("Spoke", "Called")}
    assert Activity.objects.filter(subject="Wants more", contact=survivor).exists()
    won.refresh_from_db()
    deal.refresh_from_db()
    assert (won.stage, won.amount, won.contact, deal.contact.name) == ("won", 5, linked, "Deal")
    other.refresh_from_db()
    linked.refresh_from_db()
    assert (other.phone, other.source, other.notes, linked.notes) == ("77", other.source, "", "Before")
    companies = set(Company.objects.values_list("name", flat=True))
    assert companies == {f"{name} Ltd" for name in ("Edited", "Called", "Merged", "Deal", "Qualified")}
    assert Entry.objects.exclude(change=MigrationRun.objects.get().change).count() >= work
    assert {entity for entity, _ in kept} >= {"contact", "opportunity"}
    assert not LegacyLead.objects.filter(archived_at__isnull=False).exists()
    again = migrate(commit=True)[1]
    assert (again["created"], again["reused"], again["opportunities"]) == (1, 7, 0)


def test_nobody_undoes_it_beside_one_contact(old, migrate, actor):
    ana = make_contact("Ana")
    old("Ana", contact=ana, description="Vans")
    old("Bo")
    migrate(commit=True)
    change = Entry.objects.filter(event="legacy_lead.migrated").first().change
    with pytest.raises(Refused, match="undone as a whole"):
        undo(change, by=actor("admin"))
    assert Contact.objects.count() == 2


def test_without_a_migration_there_is_nothing_to_undo(migrate):
    assert migrate(undo=True) == (1, "There is no migration to undo.")


def test_an_interrupted_migration_can_be_undone(old, migrate, undo_it, monkeypatch):
    from crm.legacy_leads.moving import run as running

    old("Ana")
    old("Bo")

    batch = running._Committing._batch

    def stop(self, ids):
        batch(self, ids)
        raise KeyboardInterrupt

    monkeypatch.setattr(running._Committing, "_batch", stop)
    with pytest.raises(SystemExit):
        call_command("migrate_leads", workspace="acme", commit=True, batch_size=1)
    assert (Contact.objects.count(), MigrationRun.objects.get().state) == (1, "running")
    undo_it()
    assert (Contact.objects.count(), LegacyLead.objects.filter(archived_at=None).count()) == (0, 2)


def test_an_interrupted_migration_goes_on_as_it_was_begun(old, migrate, monkeypatch):
    from crm.legacy_leads.moving import run as running

    for name in ("Ana", "Bo", "Cy"):
        old(name, status="lost" if name == "Cy" else "new")
    batch, calls = running._Committing._batch, []

    def stop_once(self, ids):
        batch(self, ids)
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(running._Committing, "_batch", stop_once)
    with pytest.raises(SystemExit):
        call_command("migrate_leads", workspace="acme", commit=True, include_lost=True, batch_size=1)
    report = migrate(commit=True, batch_size=1)[1]
    assert (report["created"], report["left"]) == (3, 0)
    assert Entry.objects.filter(event="legacy_lead.migrated").values("change").distinct().count() == 1


def test_old_leads_follow_a_merge_and_come_back(old, migrate, actor):
    ana, twin = make_contact("Ana"), make_contact("Twin")
    lead = old("Ana", contact=twin)
    merged = merge(ana, rows(twin), by=actor("manager"))
    lead.refresh_from_db()
    assert lead.contact == ana
    undo(merged.change, by=manager())
    lead.refresh_from_db()
    assert lead.contact == twin
    migrate(commit=True)
    merge(ana, rows(twin), by=actor("manager"))
    lead.refresh_from_db()
    assert (lead.contact, lead.became_contact) == (ana, ana)


def test_a_merge_is_undone_without_the_old_leads_that_were_dropped(old, actor):
    ana, twin, merging = make_contact("Ana"), make_contact("Twin"), actor("manager")
    lead = old("Ana", contact=twin)
    merge(ana, rows(twin), by=merging)
    LegacyLead.objects.all().delete()
    undone = undo(merging.change, by=manager())
    assert undone.kept == [("legacy_lead", lead.pk, "The record was permanently deleted and can’t be restored.")]
    assert Contact.objects.get(pk=twin.pk).merged_into is None
