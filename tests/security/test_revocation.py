"""Revoked rights end with the next request, also on record pages (S5)."""

import pytest

from contacts.models import Contact
from crm.kit.actor import Role
from crm.users.verbs.change_role import change_role
from crm.users.verbs.change_team import change_team
from crm.users.verbs.deactivate_member import deactivate_member
from tests.security.calls import HTMX, told
from tests.security.world import act, rows

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def page(world):
    return f"/contact/{world.own.contact.public_id}"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_was_deactivated_sees_and_does_nothing_more(headers, page, world, cast, acme, sign_in):
    client = sign_in("rep")
    assert client.get(page).status_code == 200
    deactivate_member(cast.rep, by=act(cast.admin))
    for answer in (
        client.get(page, headers=headers),
        client.get("/contact", headers=headers),
        client.post(f"{page}/delete", {"reason": "Revenge"}, headers=headers),
        client.post(f"/undo/{world.own.change}", headers=headers),
    ):
        assert answer.status_code == 403
        assert world.own.mark not in told(answer)
    contact = Contact.objects.get(pk=world.own.contact.pk)
    assert (contact.deleted_at, contact.version) == (None, world.own.contact.version)


def test_a_lowered_role_writes_nothing_more(page, world, cast, acme, sign_in):
    client = sign_in("rep")
    assert client.post(f"{page}/field/title", {"title": "One", "base-title": "ownmark text"}).status_code == 302
    change_role(cast.rep, Role.VIEWER, by=act(cast.admin))
    assert client.get(page).status_code == 200
    assert client.post(f"{page}/field/title", {"title": "Two", "base-title": "One"}).status_code == 409
    assert Contact.objects.get(pk=world.own.contact.pk).title == "One"


def test_a_manager_no_more_sees_other_teams_no_more(world, cast, acme, sign_in):
    client, url = sign_in("manager"), f"/contact/{world.hidden.contact.public_id}"
    assert client.get(url).status_code == 200
    change_role(cast.manager, Role.REP, by=act(cast.admin))
    assert client.get(url).status_code == 404
    assert world.hidden.contact.public_id not in told(client.get("/contact?view=all"))


def test_another_team_s_records_come_and_go_with_the_team(world, cast, acme, sign_in):
    client, url = sign_in("rep"), f"/contact/{world.hidden.contact.public_id}"
    assert client.get(url).status_code == 404
    change_team(cast.rep, cast.nordics, by=act(cast.admin))
    assert client.get(url).status_code == 200
    change_team(cast.rep, cast.iberia, by=act(cast.admin))
    assert client.get(url).status_code == 404


def test_a_record_given_to_a_team_is_gone_for_the_others(page, world, cast, acme, sign_in):
    client = sign_in("mate")
    assert client.get(page).status_code == 200
    rows(world.own.contact).update(team=cast.nordics)
    assert client.get(page).status_code == 404
    assert sign_in("rep").get(page).status_code == 200  # the owner still sees it
