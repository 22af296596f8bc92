"""General undo (DESIGN 2.3): every verb can be undone, and later changes are kept and listed."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Activity, Company, Contact
from contacts.verbs.capture import capture
from contacts.verbs.churn import churn
from contacts.verbs.complete import complete
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.enrich import enrich
from contacts.verbs.log import log
from contacts.verbs.lose import lose
from contacts.verbs.override import override
from contacts.verbs.partner import partner
from contacts.verbs.qualify import qualify
from contacts.verbs.reopen import reopen
from contacts.verbs.set_avatar import set_avatar
from contacts.verbs.set_status import set_status
from contacts.verbs.win import win
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.kit.errors import NotAllowed, Refused
from crm.kit.scope import in_workspace
from crm.lifecycle.models import Transition
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.move_stage import move_stage
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from crm.users.verbs.change_role import change_role
from tests.factories import make_activity, make_company, make_contact, make_field, make_opportunity, rows
from tests.log import assert_nothing_written, entries

MOVED_ON = {"last_engagement", "version", "updated_at"}


def everything():
    """Return every record, without columns that every write changes."""
    models = (Contact, Company, Activity)
    found = {model.__name__: model.objects.order_by("pk").values() for model in models}
    return {name: [{k: v for k, v in row.items() if k not in MOVED_ON} for row in all_] for name, all_ in found.items()}


# the action per contact stage
VERBS = {
    "edit": (
        "lead",
        lambda c, by: edit(rows(c), {"title": "CFO", "fleet_size": "5", "name": "Zoë", "email": ""}, by=by),
    ),
    "status by edit": ("lead", lambda c, by: edit(rows(c), {"status": "inactive", "owner": by.member_id}, by=by)),
    "assign": ("lead", lambda c, by: assign(rows(c), by.member_id, by=by, team=None)),
    "enrich": ("lead", lambda c, by: enrich(rows(c), {"title": "CFO"}, by=by, source="Register")),
    "delete": ("lead", lambda c, by: delete(rows(c), by=by, reason="twice")),
    "set_status": ("lead", lambda c, by: set_status(rows(c), "inactive", by=by)),
    "qualify": ("lead", lambda c, by: qualify(rows(c), by=by)),
    "win": ("qualified", lambda c, by: win(rows(c), by=by)),
    "lose": ("qualified", lambda c, by: lose(rows(c), by=by)),
    "churn": ("customer", lambda c, by: churn(rows(c), by=by)),
    "partner": ("customer", lambda c, by: partner(rows(c), by=by, reason="resells")),
    "reopen": ("lost", lambda c, by: reopen(rows(c), by=by, reason="is back")),
    "override": ("lead", lambda c, by: override(rows(c), to="customer", by=by, reason="signed")),
    "capture again": ("lead", lambda c, by: capture([{"email": c.email, "phone": "1"}], by=by, source="Chat")),
    "create": ("lead", lambda c, by: create([{"name": "New", "manager": c.pk}], by=by)),
    "capture": ("lead", lambda c, by: capture([{"name": "New"}, {"name": "Newer"}], by=by, source="Chat")),
    "create_company": ("lead", lambda c, by: create_company([{"name": "New"}], by=by)),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_undone_and_its_undo_too(verb, acme, cast, actor):
    make_field("fleet_size", "number")
    stage, run = VERBS[verb]
    contact = make_contact("Ana", stage=stage, company=make_company("Metro"))
    before = everything()
    by, back, again = actor("manager"), actor("manager"), actor("manager")
    run(contact, by)
    after = everything()
    assert after != before
    undone = undo(by.change, by=back)
    assert everything() == before
    events = Entry.objects.filter(change=back.change, event="contact.undone", note="contact.engaged").count()
    assert (undone.kept, undone.reverted) == ([], len(entries(back)) + events)
    mirrored = {(e.entity, e.entity_id, _frozen(e.old_values), _frozen(e.new_values)) for e in entries(by)}
    assert {(e.entity, e.entity_id, _frozen(e.new_values), _frozen(e.old_values)) for e in entries(back)} == mirrored
    assert {(e.action, e.note) for e in entries(back)} == {("UNDO", e.event) for e in entries(by)}
    assert not Transition.objects.filter(change=by.change).exclude(undone_by=back.change).exists()
    with pytest.raises(Refused, match="Couldn’t undo"):
        undo(by.change, by=actor("manager"))
    if verb in ("create", "capture", "create_company"):
        with pytest.raises(Refused, match="permanently deleted"):
            undo(back.change, by=again)
        return
    undo(back.change, by=again)
    # Engagement is undone with the capture that recorded it, and recorded again by another.
    assert without_engagement(everything()) == without_engagement(after)
    assert not Transition.objects.filter(change=by.change, undone_by__isnull=False).exists()


def without_engagement(rows):
    """Return the rows without values derived from engagement."""
    derived = ("last_engagement", "last_activity")
    return {name: [{k: v for k, v in row.items() if k not in derived} for row in found] for name, found in rows.items()}


def _frozen(values):
    return repr(sorted((values or {}).items())) if values is not None else None


def test_an_avatar_and_a_restore_are_undone(acme, actor):
    contact = make_contact()
    Contact.objects.filter(pk=contact.pk).update(avatar="avatars/a.webp")
    by = actor("manager")
    set_avatar(rows(contact), None, by=by)
    undo(by.change, by=actor("manager"))
    assert Contact.objects.get().avatar.name == "avatars/a.webp"
    delete(rows(contact), by=actor("manager"), reason="twice")
    by = actor("manager")
    restore(rows(contact), by=by)
    undo(by.change, by=actor("manager"))
    assert Contact.objects.get().deleted_at


@pytest.mark.parametrize(
    "run",
    [
        lambda task, by: complete(rows(task), by=by),
        lambda task, by: edit_activity(rows(task), {"subject": "Call again", "status": "cancelled"}, by=by),
        lambda task, by: delete_activity(rows(task), by=by),
        lambda task, by: log([{"kind": "note", "subject": "More", "contact_id": task.contact_id}], by=by),
    ],
    ids=["complete", "edit", "delete", "log"],
)
def test_the_verbs_of_activities_are_undone(run, acme, actor):
    task = make_activity("Call", kind="task", contact=make_contact())
    before = list(Activity.objects.values())
    by = actor("manager")
    run(task, by)
    undo(by.change, by=actor("manager"))
    same = MOVED_ON | {"id"}
    assert [{k: v for k, v in row.items() if k not in same} for row in Activity.objects.values()] == [
        {k: v for k, v in row.items() if k not in same} for row in before
    ]


def test_a_bulk_edit_is_undone_but_for_what_was_changed_since(acme, actor):
    people = [make_contact(title=f"T{n}") for n in range(10)]
    before = everything()
    by = actor("manager")
    edit(rows(*people), {"title": "CFO", "department": "Board"}, by=by)
    edit(rows(people[4]), {"title": "CEO"}, by=actor("manager"))
    undone = undo(by.change, by=actor("manager"))
    assert undone.kept == [("contact", people[4].pk, "Title was changed again afterwards.")]
    left = everything()["Contact"]
    assert left[4]["title"] == "CEO"
    left[4]["title"] = "T4"
    assert left == before["Contact"]


class TestKept:
    def test_a_value_changed_since_and_only_that(self, acme, actor):
        contact = make_contact()
        by = actor("rep")
        edit(rows(contact), {"title": "CFO", "phone": "1"}, by=by)
        edit(rows(contact), {"phone": "2"}, by=actor("manager"))
        undone = undo(by.change, by=actor("rep"))
        assert undone.kept == [("contact", contact.pk, "Phone was changed again afterwards.")]
        assert Contact.objects.values_list("title", "phone").get() == ("", "2")

    def test_a_value_changed_away_and_back_was_still_changed(self, acme, actor):
        contact = make_contact()
        by = actor("manager")
        qualify(rows(contact), by=by)
        override(rows(contact), to="lead", by=actor("manager"), reason="too early")
        qualify(rows(contact), by=actor("manager"))
        with pytest.raises(Refused, match="Lifecycle stage was changed again afterwards"):
            undo(by.change, by=actor("manager"))
        assert Contact.objects.get().lifecycle_stage == "qualified"
        assert not Transition.objects.filter(undone_by__isnull=False).exists()

    def test_changes_are_undone_one_by_one_newest_first(self, acme, actor):
        """Undone changes do not count as later changes."""
        contact, deal = make_contact(stage="qualified"), make_opportunity("Deal", contact=make_contact("Bo"))
        before, changes = everything(), []
        for run in (
            lambda by: edit(rows(contact), {"title": "CFO"}, by=by),
            lambda by: edit(rows(contact), {"title": "CEO"}, by=by),
            lambda by: override(rows(contact), to="lead", by=by, reason="too early"),
            lambda by: qualify(rows(contact), by=by),
            lambda by: move_stage(rows(deal), to="proposal", by=by),
            lambda by: move_stage(rows(deal), to="negotiation", by=by),
        ):
            changes.append(by := actor("manager"))
            run(by)
        for by in reversed(changes):
            again = actor("manager")
            undo(by.change, by=again)
            undo(again.change, by=(redone := actor("manager")))
            assert undo(redone.change, by=actor("manager")).kept == []
        assert everything() == before
        assert Opportunity.objects.get().stage == "prospecting"

    @pytest.mark.parametrize("verb", ["enrich", "set_status", "qualify", "lose"])
    def test_so_is_the_making_of_a_record(self, verb, acme, actor):
        made = actor("manager")
        contact = Contact.objects.get(pk=create([{"name": "Ana", "email": "ana@x.example"}], by=made).done[0])
        VERBS[verb][1](contact, later := actor("manager"))
        with pytest.raises(Refused, match="The record has changed since then"):
            undo(made.change, by=actor("manager"))
        undo(later.change, by=actor("manager"))
        assert undo(made.change, by=actor("manager")).kept == []
        assert not Contact.objects.exists()

    def test_a_value_that_is_back_already_is_no_matter(self, acme, actor):
        contact = make_contact()
        by = actor("manager")
        edit(rows(contact), {"title": "CFO", "phone": "1"}, by=by)
        edit(rows(contact), {"title": ""}, by=actor("manager"))
        assert undo(by.change, by=actor("manager")).kept == []

    def test_a_stage_moved_on_keeps_its_transitions(self, acme, actor):
        """An edit form saves fields and a move in one change; here only the fields can still be undone."""
        contact = make_contact()
        by = actor("manager")
        edit(rows(contact), {"title": "CFO"}, by=by)
        qualify(rows(contact), by=by)
        win(rows(contact), by=actor("manager"))
        undone = undo(by.change, by=actor("manager"))
        assert undone.kept == [("contact", contact.pk, "Lifecycle stage was changed again afterwards.")]
        assert Contact.objects.values_list("title", "lifecycle_stage").get() == ("", "customer")
        assert not Transition.objects.filter(undone_by__isnull=False).exists()

    def test_a_created_record_that_something_happened_to(self, acme, actor):
        by = actor("manager")
        made = create([{"name": "Ana"}, {"name": "Bo"}, {"name": "Cai"}], by=by).done
        edit(Contact.objects.filter(pk=made[0]), {"title": "CFO"}, by=actor("manager"))
        make_activity(contact=Contact.objects.get(pk=made[1]))
        undone = undo(by.change, by=actor("manager"))
        kept = [kept for kept in undone.kept if kept[0] == "contact"]  # a called contact's lead was changed too
        assert kept == [("contact", pk, "The record has changed since then.") for pk in made[:2]]
        assert list(Contact.objects.order_by("pk").values_list("pk", flat=True)) == made[:2]

    def test_a_created_record_that_others_point_to(self, acme, actor):
        by = actor("manager")
        boss = Contact.objects.get(pk=create([{"name": "Boss"}], by=by).done[0])
        make_contact("Report", manager=boss)
        with pytest.raises(Refused, match="Other records are linked to it"):
            undo(by.change, by=actor("manager"))
        assert Contact.objects.get(name="Report").manager == boss
        by = actor("manager")
        company = create_company([{"name": "Metro"}], by=by).done[0]
        make_contact(company=company)
        with pytest.raises(Refused, match="Other records are linked to it"):
            undo(by.change, by=actor("manager"))

    def test_those_made_together_go_together(self, acme, actor):
        by = actor("manager")
        company = create_company([{"name": "Metro"}], by=by).done[0]
        boss = create([{"name": "Boss", "company": company}], by=by).done[0]
        create([{"name": "Report", "manager": boss, "company": company}], by=by)
        assert undo(by.change, by=actor("manager")).kept == []
        assert not Contact.objects.exists()
        assert not Company.objects.exists()

    def test_an_address_taken_meanwhile(self, acme, actor):
        contact, other = make_contact(email="ana@x.example"), make_contact()
        by = actor("manager")
        edit(rows(contact, other), {"title": "CFO"}, by=by)
        edit(rows(contact), {"email": "new@x.example"}, by=by)
        capture([{"email": "ana@x.example"}], by=actor("rep"), source="Chat")
        undone = undo(by.change, by=actor("manager"))
        assert undone.kept == [
            ("contact", contact.pk, "Another record now uses this email, domain, external ID or position.")
        ]
        assert Contact.objects.get(pk=other.pk).title == ""
        assert Contact.objects.get(pk=contact.pk).email == "new@x.example"

    def test_a_link_to_what_is_gone(self, acme, actor):
        made = actor("manager")
        company = create_company([{"name": "Metro"}], by=made).done[0]
        contact = make_contact(title="CFO")
        edit(rows(contact), {"company": company}, by=actor("manager"))
        by = actor("manager")
        edit(rows(contact), {"company": None, "title": ""}, by=by)
        undo(made.change, by=actor("manager"))
        undone = undo(by.change, by=actor("manager"))
        assert undone.kept == [("contact", contact.pk, "Company linked to a record that no longer exists.")]
        assert Contact.objects.values_list("company", "title").get() == (None, "CFO")


def test_people_are_found_by_the_name_that_an_undo_gave_their_company(acme, actor):
    company = make_company("Metro Cabs")
    contact = make_contact("Ana", company=company, email="")
    by = actor("manager")
    edit(rows(company), {"name": "Nordic Haul"}, by=by)
    undo(by.change, by=actor("manager"))
    assert Contact.objects.get(pk=contact.pk).search_text == "ana metro cabs"


def test_undoing_many_companies_of_people_takes_as_many_statements_as_of_a_few(acme, actor):
    company, statements = make_company("Metro"), []
    for size in (3, 20):
        people = [make_contact(company=company) for _ in range(size)]
        by = actor("manager")
        edit(rows(*people), {"company": None}, by=by)
        with CaptureQueriesContext(connection) as captured:
            undo(by.change, by=actor("manager"))
        statements.append(len(captured))
    assert statements[0] == statements[1] <= 34
    assert Contact.objects.filter(company=company, search_text__endswith="metro").count() == 23


class TestWhoMay:
    def test_a_stranger_needs_to_be_a_manager(self, team_contact, actor):
        by = actor("rep")
        edit(rows(team_contact), {"title": "CFO"}, by=by)
        for who in ("mate", "outsider", "viewer"):
            stranger = actor(who)
            with pytest.raises(NotAllowed, match="Only managers can undo someone else’s changes"):
                undo(by.change, by=stranger)
            assert_nothing_written(stranger)
        assert undo(by.change, by=actor("manager")).reverted == 1

    def test_what_one_gave_away_can_be_taken_back(self, team_contact, cast, actor):
        by = actor("rep")
        assign(rows(team_contact), cast.outsider, by=by, team=cast.nordics)
        undo(by.change, by=actor("rep"))
        assert Contact.objects.get().owner == cast.rep

    def test_what_is_not_ones_own_any_more_cannot(self, team_contact, cast, actor):
        by = actor("rep")
        edit(rows(team_contact), {"title": "CFO"}, by=by)
        assign(rows(team_contact), cast.outsider, by=actor("manager"), team=cast.nordics)
        with pytest.raises(NotAllowed, match="You no longer have permission to change these records"):
            undo(by.change, by=actor("rep"))

    def test_settings_are_not_undone(self, acme, cast, actor):
        by = actor("admin")
        change_role(cast.mate, "manager", by=by)
        field = make_field("fleet_size", "number")
        archived = actor("admin")
        archive_custom_field(field, by=archived)
        for change in (by.change, archived.change):
            with pytest.raises(Refused, match="Undo settings changes on the settings page itself"):
                undo(change, by=actor("manager"))

    def test_a_change_of_another_workspace_is_none(self, open_contact, cast, actor):
        by = actor("rep")
        edit(rows(open_contact), {"title": "CFO"}, by=by)
        with in_workspace(cast.globex), pytest.raises(Refused, match="There’s nothing to undo"):
            undo(by.change, by=actor("globex_admin"))

    def test_there_has_to_be_a_change(self, acme, actor):
        with pytest.raises(Refused, match="There’s nothing to undo"):
            undo(uuid.uuid4(), by=actor("manager"))
