"""Undo follows the rules of writes: own changes only, editable records only, never across workspaces."""

import uuid

import pytest

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Activity, Contact
from contacts.verbs.edit_activity import edit_activity
from crm.kit.actor import Role
from crm.kit.errors import NotAllowed, Refused
from crm.kit.scope import in_workspace
from crm.records.verbs.assign import assign
from crm.records.verbs.edit import edit
from crm.users.models import Membership
from crm.users.verbs.change_role import change_role
from crm.users.verbs.change_team import change_team
from tests.installed import legacy_leads
from tests.security.world import act, rows


def department(objects) -> str:
    with in_workspace(objects.member.workspace):
        return Contact.objects.get(pk=objects.contact.pk).department


@pytest.mark.parametrize("who", ["rep", "manager", "admin"])
def test_a_change_of_another_workspace_is_not_there(who, world, sign_in):
    theirs = sign_in(who).post(f"/undo/{world.theirs.change}", follow=True)
    nobodys = sign_in(who).post(f"/undo/{uuid.uuid4()}", follow=True)
    assert "There’s nothing to undo." in theirs.content.decode()
    assert "There’s nothing to undo." in nobodys.content.decode()
    assert department(world.theirs) == "theirmark changed"


def test_a_change_of_another_team_is_a_manager_s_to_undo(world, sign_in):
    assert "Only managers can undo" in sign_in("rep").post(f"/undo/{world.hidden.change}", follow=True).content.decode()
    assert department(world.hidden) == "hiddenmark changed"
    sign_in("manager").post(f"/undo/{world.hidden.change}")
    assert department(world.hidden) == "hiddenmark text"


def test_one_s_own_change_can_be_undone(world, sign_in):
    sign_in("rep").post(f"/undo/{world.own.change}")
    assert department(world.own) == "ownmark text"


def test_who_lost_the_role_undoes_nothing(world, cast, acme, sign_in):
    change_role(cast.rep, Role.VIEWER, by=act(cast.admin))
    page = sign_in("rep").post(f"/undo/{world.own.change}", follow=True).content.decode()
    assert "You no longer have permission" in page
    assert department(world.own) == "ownmark changed"


def test_who_left_the_team_undoes_nothing_of_its_records(world, cast, acme, sign_in):
    contact = rows(world.hidden.contact)
    contact.update(team=cast.iberia)
    by = act(cast.rep)
    edit(contact, {"department": "Changed"}, by=by)
    change_team(cast.rep, None, by=act(cast.admin))
    assert "You no longer have permission" in sign_in("rep").post(f"/undo/{by.change}", follow=True).content.decode()
    assert department(world.hidden) == "Changed"


def test_an_undo_leaves_alone_what_its_actor_no_longer_sees(world, cast, acme, sign_in):
    contacts, by = Contact.objects.filter(pk__in=[world.own.contact.pk, world.own.duplicate.pk]), act(cast.rep)
    edit(contacts, {"department": "Changed", "title": "CEO"}, by=by)
    assign(rows(world.own.duplicate), cast.outsider, by=act(cast.manager), team=cast.nordics)
    page = sign_in("rep").post(f"/undo/{by.change}", follow=True).content.decode()
    assert "You no longer have permission to change this record." in page
    assert dict(contacts.values_list("pk", "title")) == {
        world.own.contact.pk: "ownmark text",
        world.own.duplicate.pk: "CEO",
    }
    sign_in("manager").post(f"/undo/{by.change}")
    assert Contact.objects.get(pk=world.own.duplicate.pk).title == "ownmark-duplicate text"


def test_an_undo_leaves_alone_what_became_invisible_by_a_change_of_team(world, cast, acme, sign_in):
    rows(world.hidden.contact).update(team=cast.iberia, owner=cast.mate)
    both, by = Contact.objects.filter(pk__in=[world.own.contact.pk, world.hidden.contact.pk]), act(cast.rep)
    edit(both, {"department": "Changed"}, by=by)
    change_team(cast.rep, None, by=act(cast.admin))
    sign_in("rep").post(f"/undo/{by.change}")
    assert (department(world.own), department(world.hidden)) == ("ownmark changed", "Changed")


def test_an_undo_takes_back_no_activity_of_whom_its_actor_no_longer_sees(world, cast, acme, sign_in):
    by, tasks = act(cast.rep), Activity.objects.filter(pk=world.own.task.pk)
    edit_activity(tasks, {"subject": "Changed"}, by=by)
    assign(rows(world.own.contact), cast.outsider, by=act(cast.manager), team=cast.nordics)
    sign_in("rep").post(f"/undo/{by.change}")
    assert tasks.get().subject == "Changed"


def test_what_one_gave_away_can_be_taken_back(world, cast, acme, sign_in):
    by = act(cast.rep)
    assign(rows(world.own.contact), cast.outsider, by=by, team=cast.nordics)
    assert sign_in("rep").get(f"/contact/{world.own.contact.public_id}").status_code == 404
    sign_in("rep").post(f"/undo/{by.change}")
    assert Contact.objects.get(pk=world.own.contact.pk).owner == cast.rep


def test_settings_are_not_undone_past_their_verbs(cast, acme):
    by = act(cast.admin)
    change_role(cast.manager, Role.ADMIN, by=act(cast.admin))
    change_role(cast.manager, Role.MANAGER, by=by)
    with pytest.raises(Refused, match="Undo settings changes on the settings page itself"):
        undo(by.change, by=act(Membership.objects.get(pk=cast.manager.pk)))
    assert Membership.objects.get(pk=cast.manager.pk).role == Role.MANAGER
    with pytest.raises(Refused):
        undo(by.change, by=act(cast.admin))


def test_every_setting_stays_whoever_asks(world, cast, acme):
    records = ("contact", "company", "activity", "opportunity", "lead", "engagement")
    records += legacy_leads.DECLARED if legacy_leads else ()
    settings = Entry.objects.exclude(
        entity__in=(*records, "campaign_person", "opportunity_contact", "participant", "attachment")
    )
    changes = settings.values_list("change", flat=True)
    assert len(set(changes)) > 4
    for change in set(changes):
        with pytest.raises((Refused, NotAllowed)):
            undo(change, by=act(cast.admin))
