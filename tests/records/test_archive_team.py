"""Archiving a team moves its records and members, decides who sees what, and one undo takes all of it back."""

import time
from html import unescape
from threading import Event

import pytest
from django.db import transaction
from django.urls import reverse

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Contact
from crm.kit.errors import InUse, Invalid, NotAllowed, Refused
from crm.lists import undo_runs
from crm.lists.verbs.save_view import save_view
from crm.notifications.models import Notification
from crm.records.registry import RECORD_TYPES
from crm.records.verbs.archive_team import archive_team
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.users.models import Membership, Team
from crm.users.verbs.change_team import change_team
from crm.users.verbs.create_team import create_team
from crm.users.verbs.invite import invite
from crm.users.verbs.restore_team import restore_team
from leads.assignment.models import AssignmentRule
from leads.models import Lead
from leads.verbs.save_assignment_rule import save_assignment_rule
from tests import threads
from tests.factories import make_company, make_contact, make_opportunity, rows


def members():
    return dict(Membership.objects.values_list("user__name", "team__name"))


def seen_by(cast, who):
    member = Membership.objects.select_related("user").get(pk=getattr(cast, who).pk)
    return set(Contact.objects.visible_to(member.actor("web")).values_list("name", flat=True))


@pytest.fixture
def ana(acme, cast):
    """A contact of the team Iberia, with a lead."""
    return make_contact("Ana", team=cast.iberia)


def test_a_rep_who_saw_records_by_team_no_longer_does(ana, cast, actor):
    make_contact("Bo", team=cast.iberia, owner=cast.mate)
    assert seen_by(cast, "rep") == {"Ana", "Bo"}
    assert seen_by(cast, "outsider") == set()
    assert archive_team(cast.iberia, to=cast.nordics, by=actor("admin")) >= 2
    assert seen_by(cast, "rep") == set()
    assert seen_by(cast, "mate") == {"Bo"}  # as its owner
    assert seen_by(cast, "outsider") == {"Ana", "Bo"}
    assert (members()["Rep"], members()["Outsider"]) == (None, "Nordics")


def test_a_rep_keeps_the_page_of_a_record_only_in_the_same_team(ana, cast, actor, sign_in):
    rep, by = sign_in("rep"), actor("admin")
    assert rep.get(ana.get_absolute_url()).status_code == 200
    archive_team(cast.iberia, to=cast.nordics, by=by)
    assert rep.get(ana.get_absolute_url()).status_code == 404
    undo(by.change, by=actor("admin"))
    archive_team(cast.iberia, to=cast.nordics, members_to=cast.nordics, by=actor("admin"))
    assert rep.get(ana.get_absolute_url()).status_code == 200


def test_records_without_a_team_are_seen_by_everyone(ana, cast, actor):
    archive_team(cast.iberia, to=None, by=actor("admin"))
    assert seen_by(cast, "rep") == seen_by(cast, "outsider") == {"Ana"}


@pytest.mark.parametrize("at_once", [5_000, 0])
def test_one_undo_takes_all_of_it_back(at_once, ana, cast, actor, monkeypatch):
    monkeypatch.setattr(undo_runs, "AT_ONCE", {"sqlite": at_once, "postgresql": at_once})
    gone = make_contact("Gone", team=cast.iberia)
    delete(rows(gone), by=actor("manager"), reason="twice")
    company, deal = make_company("Metro", team=cast.iberia), make_opportunity(contact=ana)
    moved = make_contact("Moved since", team=cast.iberia)
    everything = [ana, gone, company, deal, moved, Lead.objects.get(contact=ana)]
    by = actor("admin")
    archive_team(cast.iberia, to=cast.nordics, by=by)
    assert not [each for each in everything if type(each).objects.get(pk=each.pk).team_id != cast.nordics.pk]
    edit(rows(moved), {"team": None}, by=actor("manager"))
    change_team(cast.mate, cast.nordics, by=actor("admin"))
    found = undo_runs.start(by.change, by=actor("admin"))
    if not at_once:
        undo_runs.finish(found)
        assert {(kept.entity, kept.record_id) for kept in found.kept.all()} == {
            ("contact", moved.pk),
            ("lead", Lead.objects.get(contact=moved).pk),
            ("member", cast.mate.pk),
        }
    for each in everything:
        team = type(each).objects.get(pk=each.pk).team_id
        assert team == (None if each.pk == moved.pk and isinstance(each, Contact) else cast.iberia.pk), each
    assert Team.objects.get(pk=cast.iberia.pk).archived_at is None
    assert (members()["Rep"], members()["Mate"]) == ("Iberia", "Nordics")


def test_a_team_without_records_comes_back_too(acme, cast, actor):
    by = actor("admin")
    archive_team(cast.iberia, to=None, by=by)
    with pytest.raises(NotAllowed):
        undo(by.change, by=actor("manager"))
    assert undo(by.change, by=actor("admin")).kept == []
    assert members()["Rep"] == "Iberia"
    with pytest.raises(Refused):
        undo(by.change, by=actor("admin"))


def test_what_refers_to_the_team_refuses_by_name(acme, cast, actor):
    rule = save_assignment_rule(
        AssignmentRule(name="South", condition="source = web", team=cast.iberia), by=actor("admin")
    )
    save_view("contact", "Iberian", by=actor("manager"), condition="team = Iberia", shared=True)
    save_view("contact", "Mine", by=actor("rep"), condition="team = Iberia")
    invite("new@acme.example", role="rep", team=cast.iberia, site="http://x", by=actor("admin"))
    with pytest.raises(InUse) as refused:
        archive_team(cast.iberia, to=None, by=actor("admin"))
    labels = {str(label) for label, _url in refused.value.uses}
    assert labels == {f"Assignment rule “{rule}”", "Contacts: view “Iberian”", "Invitation to new@acme.example"}
    assert Team.objects.get(pk=cast.iberia.pk).archived_at is None


def test_an_archived_team_is_no_choice_and_its_name_stays_taken(ana, cast, actor, sign_in):
    archive_team(cast.iberia, to=cast.nordics, by=actor("admin"))
    with pytest.raises(Invalid, match="An archived team is named “iberia”"):
        create_team("iberia", by=actor("admin"))
    for change in (
        lambda: change_team(cast.rep, cast.iberia, by=actor("admin")),
        lambda: edit(rows(ana), {"team": cast.iberia.pk}, by=actor("manager")),
        lambda: archive_team(cast.nordics, to=cast.iberia, by=actor("admin")),
    ):
        with pytest.raises((Invalid, Refused)):
            change()
    assert "Iberia" not in sign_in("manager").get(f"{ana.get_absolute_url()}/field/team").content.decode()
    assert "Iberia" in sign_in("manager").get(ana.get_absolute_url()).content.decode()  # in its history
    restore_team(cast.iberia, by=actor("admin"))
    change_team(cast.rep, cast.iberia, by=actor("admin"))
    assert members()["Rep"] == "Iberia"


def test_every_link_to_a_team_is_moved_or_refuses():
    linked = {relation.related_model._meta.label for relation in Team._meta.related_objects}
    linked -= {kind.model._meta.label for kind in RECORD_TYPES.values()} | {"users.Membership"}  # moved
    linked -= {"leads.AssignmentRule", "users.IdentityProvider", "users.Invitation"}  # refuse, see team_uses.py
    # Copies of a record's team: findings are detected again, and a run keeps the team that it began with.
    assert {each for each in linked if not each.startswith("conditions_app.")} <= {
        "anomalies.Finding",
        "anomalies.UnreadableSetting",
        "workflows.Run",
    }


def test_nobody_is_notified_of_a_record_that_was_theirs(acme, cast, actor):
    make_contact("Bo", team=cast.iberia, owner=cast.mate)
    before = Notification.objects.count()
    archive_team(cast.iberia, to=cast.nordics, by=actor("admin"))
    assert Notification.objects.count() == before


def test_the_pages(ana, cast, sign_in):
    admin, url = sign_in("admin"), reverse("team", args=[cast.iberia.pk])
    admin.post(reverse("add_to_team", args=[cast.iberia.pk]), {"member": cast.outsider.pk})
    assert members()["Outsider"] == "Iberia"
    admin.post(reverse("remove_from_team", args=[cast.iberia.pk, cast.outsider.pk]))
    assert members()["Outsider"] is None
    wrong = admin.post(reverse("add_to_team", args=[cast.iberia.pk]), {"member": cast.rep.pk})
    assert wrong.status_code == 422
    page = unescape(admin.get(reverse("archive_team", args=[cast.iberia.pk])).content.decode())
    assert "No team: everyone sees the records" in page and "<dt>Contacts</dt>" in page
    archived = {"to": cast.nordics.pk, "members_to": "none"}
    done = admin.post(reverse("archive_team", args=[cast.iberia.pk]), archived, follow=True).content.decode()
    assert "Archived teams" in done
    assert admin.get(url).status_code == 404
    assert reverse("undo", args=[Entry.objects.get(event="team.archived").change]) in done
    admin.post(reverse("restore_team", args=[cast.iberia.pk]))
    assert admin.get(url).status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_enters_the_team_meanwhile_is_moved_too(acme, cast, actor):
    entered = Event()

    def enter():
        with transaction.atomic():
            make_contact("Late", team=cast.iberia)
            change_team(cast.outsider, cast.iberia, by=actor("admin"))
            entered.set()
            time.sleep(0.5)

    def archive():
        entered.wait(10)
        archive_team(cast.iberia, to=cast.nordics, members_to=cast.nordics, by=actor("admin"))

    _, errors = threads.at_once(acme, [enter, archive])
    assert errors == []
    assert Contact.objects.get(name="Late").team_id == cast.nordics.pk
    assert set(Lead.objects.values_list("team", flat=True)) == {cast.nordics.pk}
    assert members()["Outsider"] == "Nordics"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_nobody_joins_a_team_that_is_being_archived(acme, cast, actor):
    archived = Event()

    def archive():
        with transaction.atomic():
            archive_team(cast.iberia, to=None, by=actor("admin"))
            archived.set()
            time.sleep(0.5)

    def join():
        archived.wait(10)
        change_team(cast.outsider, cast.iberia, by=actor("admin"))

    _, errors = threads.at_once(acme, [archive, join])
    assert [type(error) for error in errors] == [Refused]
    assert members()["Outsider"] == "Nordics"
