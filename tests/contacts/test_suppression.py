"""Suppressed addresses: every write of a status or address, and no email to a suppressed one."""

import importlib

import pytest
from django.core import mail
from django.db import connection

from audit.models import Entry
from audit.undo.undo import undo
from contacts.engagement import NewEngagement
from contacts.jobs import sync_suppressed_status
from contacts.models import Contact, EngagementEvent, Suppression
from contacts.verbs.capture import capture
from contacts.verbs.create import create
from contacts.verbs.engage import engage
from contacts.verbs.enrich import enrich
from contacts.verbs.lift_suppression import lift_suppression
from contacts.verbs.merge import merge
from contacts.verbs.set_status import set_status
from crm.campaigns.audience import annotate_exclusions
from crm.kit import clock
from crm.kit.errors import Invalid, NotAllowed, Refused
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from tests.contacts.files import counts, import_csv
from tests.factories import make_contact, rows

ADDRESS = "d4@mrg.example"


@pytest.fixture(params=["unsubscribed", "bounced"])
def status(request) -> str:
    return request.param


@pytest.fixture
def gone(acme, actor, status) -> Contact:
    contact = make_contact("Dora", email=ADDRESS)
    set_status(rows(contact), status, by=actor("rep"))
    return contact


def now(contact: Contact) -> str:
    """Return a contact's status, checked against campaigns' view."""
    found = annotate_exclusions(Contact.objects.filter(pk=contact.pk)).get()
    if found.email and not found.deleted_at:
        assert (found.why_not in ("Unsubscribed", "Bounced")) == (found.status in ("unsubscribed", "bounced"))
    return found.status


def addresses() -> set[tuple[str, str]]:
    return set(Suppression.objects.values_list("email_key", "reason"))


# The status reflects a suppressed address.


def by_create(actor):
    return create([{"name": "Again", "email": ADDRESS.upper(), "status": "active"}], by=actor("rep"))


def by_capture(actor):
    return capture([{"email": ADDRESS}], by=actor("rep"), source="fair")


def by_import(actor):
    import_csv(f"Name,E-mail,Status\nAgain,{ADDRESS},Active\n")


def by_edit(actor):
    edit(rows(make_contact("Again")), {"email": ADDRESS}, by=actor("rep"))


def by_changing_import(actor):
    edit(rows(make_contact("Again")), {"external_id": "7"}, by=actor("manager"))
    import_csv(f"External ID,E-mail\n7,{ADDRESS}\n")


def by_enrich(actor):
    enrich(rows(make_contact("Again", email="")), {"email": ADDRESS}, by=actor("rep"), source="cards")


def by_merge(actor):
    other = make_contact("Again", email="", marketing_consent="2026-01-01")
    restore(rows(Contact.objects.get(name="Dora")), by=actor("manager"))
    merge(other, rows(Contact.objects.get(name="Dora")), by=actor("manager"))


def by_restore(actor):
    by_create(actor)
    again = Contact.objects.get(name="Again")
    delete(rows(again), by=actor("manager"), reason="twice")
    Contact.objects.filter(pk=again.pk).update(status="active")
    restore(rows(again), by=actor("manager"))


def by_undo(actor):
    other, by = make_contact("Again", email=""), actor("manager")
    edit(rows(other), {"email": ADDRESS}, by=by)
    back = actor("manager")
    undo(by.change, by=back)
    undo(back.change, by=actor("manager"))


WAYS = [by_create, by_capture, by_import, by_edit, by_changing_import, by_enrich, by_merge, by_restore, by_undo]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_suppressed_address_is_never_mailed_whoever_has_it(gone, status, actor, way):
    delete(rows(gone), by=actor("manager"), reason="left")
    way(actor)
    [again] = Contact.objects.live().filter(email_key=ADDRESS)
    assert now(again) == status
    assert Entry.objects.filter(event="suppression.added").count() == 1


# Every way to set the status suppresses the address.


def set_by_hand(contact, status, actor):
    set_status(rows(contact), status, by=actor("rep"))


def set_by_edit(contact, status, actor):
    edit(rows(contact), {"status": status}, by=actor("rep"))


def set_by_import(contact, status, actor):
    import_csv(f"E-mail,Status\n{contact.email},{status}\n")


def set_by_new_import(contact, status, actor):
    delete(rows(contact), by=actor("manager"), reason="x")
    import_csv(f"Name,E-mail,Status\nNew,{contact.email},{status}\n")


def set_by_create(contact, status, actor):
    delete(rows(contact), by=actor("manager"), reason="x")
    create([{"name": "New", "email": contact.email, "status": status}], by=actor("rep"))


def set_by_event(contact, status, actor):
    engage([NewEngagement(contact.pk, "unsubscribed", clock.now())], by=actor("rep"))


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        (set_by_hand, "manual"),
        (set_by_edit, "manual"),
        (set_by_create, "manual"),
        (set_by_import, "unsubscribed"),
        (set_by_new_import, "unsubscribed"),
        (set_by_event, "unsubscribed"),
    ],
)
def test_setting_the_status_suppresses_the_address(acme, actor, way, reason):
    contact = make_contact(email="a@x.example")
    way(contact, "unsubscribed", actor)
    assert addresses() == {("a@x.example", reason)}
    [live] = Contact.objects.live()
    assert now(live) == "unsubscribed"
    assert EngagementEvent.objects.filter(kind="unsubscribed").count() == (
        0 if "new" in way.__name__ or way is set_by_create else 1
    )
    if way is not set_by_event:
        other = make_contact(email="b@x.example")
        way(other, "bounced", actor)
        assert addresses() == {("a@x.example", reason), ("b@x.example", "bounced")}
        assert now(Contact.objects.live().get(email="b@x.example")) == "bounced"


# Only the person or an admin lifts it.


def test_no_member_and_no_file_sets_the_status_back(gone, status, actor):
    words = "unsubscribed" if status == "unsubscribed" else "bounced"
    for to in ("active", "inactive"):
        assert words in set_status(rows(gone), to, by=actor("admin")).refused[gone.pk]
        assert words in edit(rows(gone), {"status": to, "title": "CFO"}, by=actor("admin")).refused[gone.pk]
    file = f"E-mail,Status,Title\n{ADDRESS},Active,CEO\n"
    for run in (import_csv(file, dry_run=True), import_csv(file)):
        assert counts(run) == (0, 1, 0, 0)
        assert run.notes[-1] == "Row 2: status not changed because the address is suppressed."
    assert (now(gone), Contact.objects.get(pk=gone.pk).title) == (status, "CEO")


def test_an_admin_lifts_it_with_a_reason(gone, status, actor):
    for who in ("rep", "manager"):
        with pytest.raises(NotAllowed, match="Only admins can lift a suppression"):
            lift_suppression(rows(gone), by=actor(who), reason="asked")
    with pytest.raises(Invalid, match="Enter a reason"):
        lift_suppression(rows(gone), by=actor("admin"), reason=" ")
    by = actor("admin")
    assert lift_suppression(rows(gone, free := make_contact()), by=by, reason="She asked.").done == [gone.pk]
    assert (now(gone), addresses()) == ("active", set())
    entry = Entry.objects.get(event="suppression.lifted")
    assert (entry.note, entry.person, entry.severity) == ("She asked.", gone.pk, "warning")
    assert entry.old_values["email_key"] == ADDRESS
    assert "isn’t suppressed" in lift_suppression(rows(free), by=actor("admin"), reason="x").refused[free.pk]
    with pytest.raises(Refused, match="Lifting a suppression can’t be undone"):
        undo(by.change, by=actor("admin"))
    assert now(gone) == "active"


def test_undo_lifts_nothing(acme, actor, status):
    contact, by = make_contact(email=ADDRESS), actor("rep")
    edit(rows(contact), {"status": status, "title": "CFO"}, by=by)
    undone = undo(by.change, by=actor("admin"))
    assert "The address stays suppressed. An admin can lift the suppression." in [why for *_, why in undone.kept]
    assert (now(contact), Contact.objects.get().title, len(addresses())) == (status, "", 1)
    alone = actor("rep")
    set_status(rows(other := make_contact()), status, by=alone)
    with pytest.raises(Refused, match="stays suppressed"):
        undo(alone.change, by=actor("admin"))
    assert now(other) == status


def test_undoing_the_creation_of_a_contact_leaves_the_address_suppressed(acme, actor, status):
    by = actor("manager")
    create([{"name": "Dora", "email": ADDRESS, "status": status}], by=by)
    undo(by.change, by=actor("manager"))
    assert not Contact.objects.exists()
    assert now(make_contact(email=ADDRESS)) == status


# People and addresses.


def test_a_person_who_unsubscribed_is_not_mailed_at_a_new_address(acme, actor):
    contact = make_contact(email="old@x.example")
    set_status(rows(contact), "unsubscribed", by=actor("rep"))
    edit(rows(contact), {"email": "new@x.example"}, by=actor("rep"))
    assert addresses() == {("old@x.example", "manual"), ("new@x.example", "manual")}
    edit(rows(contact), {"email": ""}, by=actor("rep"))
    edit(rows(contact), {"email": "third@x.example"}, by=actor("rep"))
    assert now(contact) == "unsubscribed"


def test_an_address_that_works_is_mailed_after_one_that_bounced(acme, actor):
    contact, by = make_contact(email="old@x.example"), actor("rep")
    set_status(rows(contact), "bounced", by=actor("rep"))
    edit(rows(contact), {"email": "new@x.example"}, by=by)
    assert (now(contact), addresses()) == ("active", {("old@x.example", "bounced")})
    undo(by.change, by=actor("rep"))
    assert now(contact) == "bounced"


def test_a_merge_carries_the_wish_to_the_survivor_and_unmerging_takes_it_back(acme, actor):
    survivor, other = make_contact(email="s@x.example"), make_contact(email=ADDRESS)
    set_status(rows(other), "unsubscribed", by=actor("rep"))
    by = actor("manager")
    merge(survivor, rows(other), by=by)
    assert (now(survivor), addresses()) == ("unsubscribed", {("s@x.example", "manual"), (ADDRESS, "manual")})
    undo(by.change, by=actor("manager"))
    assert (now(survivor), now(other), addresses()) == ("active", "unsubscribed", {(ADDRESS, "manual")})


def test_a_merge_leaves_a_bounced_address_behind(acme, actor):
    survivor, other = make_contact(email="s@x.example"), make_contact(email=ADDRESS)
    set_status(rows(other), "bounced", by=actor("rep"))
    merge(survivor, rows(other), by=actor("manager"))
    assert now(survivor) == "active"


def test_a_wish_outweighs_a_bounce(acme, actor):
    contact = make_contact(email=ADDRESS)
    set_status(rows(contact), "bounced", by=actor("rep"))
    assert set_status(rows(contact), "unsubscribed", by=actor("rep")).done
    assert "unsubscribed" in set_status(rows(contact), "bounced", by=actor("rep")).refused[contact.pk]
    assert (now(contact), addresses()) == ("unsubscribed", {(ADDRESS, "bounced"), (ADDRESS, "manual")})


def test_another_workspace_is_not_concerned(gone, cast, actor):
    from crm.kit.scope import in_workspace

    with in_workspace(cast.globex):
        made = create([{"email": ADDRESS}], by=actor("globex_rep"))
        assert Contact.objects.get(pk=made.done[0]).status == "active"


# Existing data, and the page.


def test_the_migration_suppresses_the_addresses_of_today(gone, status, actor):
    delete(rows(gone), by=actor("manager"), reason="left")
    Suppression.objects.all().delete()
    live = make_contact("Again", email=ADDRESS)
    migration = importlib.import_module("contacts.migrations.0005_suppressions")
    with connection.cursor() as cursor:
        cursor.execute(migration.ADDRESSES)
    assert addresses() == {(ADDRESS, status)}
    assert annotate_exclusions(Contact.objects.filter(pk=live.pk)).get().why_not == status.capitalize()
    sync_suppressed_status(clock.now())
    assert now(live) == status


def test_the_record_shows_it_and_an_admin_lifts_it_there(acme, actor, sign_in):
    contact = make_contact("Dora", email=ADDRESS)
    set_status(rows(contact), "unsubscribed", by=actor("rep"), reason="By phone")
    path = f"{contact.get_absolute_url()}/suppression"
    assert "no email is sent to this contact" in sign_in("rep").get(contact.get_absolute_url()).content.decode()
    page = sign_in("rep").get(path).content.decode()
    assert "By phone" in page
    assert "Only admins can lift" in page
    assert "<textarea" not in page
    assert sign_in("rep").post(path, {"reason": "x"}).status_code == 403
    client = sign_in("admin")
    assert client.post(path, {"reason": ""}).status_code == 422
    assert client.post(path, {"reason": "She asked."}).status_code == 302
    assert now(contact) == "active"
    assert not mail.outbox
