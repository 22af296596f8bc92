"""The role table, cell by cell, through the pages: edits and moves by owner and role (S4)."""

from datetime import date, timedelta

import pytest

from contacts.axes import LIFECYCLE
from contacts.lists import COMPANIES, CONTACTS
from contacts.models import Activity, Contact
from crm.entities.registry import entity_of
from crm.kit.actor import RANK, Role
from crm.lifecycle.models import Wait
from crm.opportunities.lists import OPPORTUNITIES
from tests.security.calls import call, taken_back
from tests.security.matrix import TRASHED
from tests.security.world import rows

pytestmark = pytest.mark.once

WHO = {Role.VIEWER: "viewer", Role.REP: "rep", Role.MANAGER: "manager", Role.ADMIN: "admin"}
# DESIGN, Roles: rights on a record by owner. rep is in the team Iberia with mate.
NOT_THERE, READ, WRITE = "not there", "read", "write"
RECORDS = {  # owner: (owner, team) → rights of viewer (without team), rep and manager
    "nobody's": (None, None, READ, WRITE, WRITE),
    "the rep's": ("rep", None, READ, WRITE, WRITE),
    "somebody's without a team": ("outsider", None, READ, READ, WRITE),
    "the rep's team's": ("mate", "iberia", NOT_THERE, WRITE, WRITE),
    "nobody's, of the rep's team": (None, "iberia", NOT_THERE, WRITE, WRITE),
    "the rep's, of another team": ("rep", "nordics", NOT_THERE, WRITE, WRITE),
    "another team's": ("outsider", "nordics", NOT_THERE, NOT_THERE, WRITE),
    "nobody's, of another team": (None, "nordics", NOT_THERE, NOT_THERE, WRITE),
}
STATUSES = {NOT_THERE: (404, 404), READ: (200, 409), WRITE: (200, 302)}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("whose", RECORDS)
def test_whose_record_each_role_sees_and_changes(whose, role, world, cast, acme, sign_in):
    owner, team, *rights = RECORDS[whose]
    expected = dict(zip(Role, [*rights, rights[-1]], strict=True))[role]
    give = {"owner": getattr(cast, owner or "", None), "team": getattr(cast, team or "", None)}
    rows(world.own.contact).update(**give)
    rows(world.own.company).update(**give)
    client, contact, company = sign_in(WHO[role]), world.own.contact, world.own.company
    for url in (f"/contact/{contact.public_id}", f"/company/{company.public_id}"):
        base = {"base-name": (contact if "contact" in url else company).name}
        change = client.post(f"{url}/field/name", {"name": "Renamed", **base}).status_code
        assert (client.get(url).status_code, change) == STATUSES[expected], url
    task = call(client, "POST", f"/activity/{world.own.task.public_id}/delete")
    assert task.status_code == STATUSES[expected][1]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", [step.verb for step in LIFECYCLE.moves])
def test_each_move_for_each_role(verb, role, world, acme, sign_in):
    step = LIFECYCLE.by_verb[verb]
    rows(world.own.contact).update(lifecycle_stage=step.sources[0], company=None)
    data = {"reason": "Because", "to": "partner"}
    status = sign_in(WHO[role]).post(f"/contact/{world.own.contact.public_id}/{verb}", data).status_code
    stage = Contact.objects.get(pk=world.own.contact.pk).lifecycle_stage
    allowed = RANK[role] >= RANK[step.role]
    assert status == (302 if allowed else 403)
    assert stage == ((step.target or "partner") if allowed else step.sources[0])


def state(record) -> tuple[int, int]:
    """Return values that show whether a record was changed or snoozed."""
    waits = Wait.objects.filter(entity=entity_of(type(record)), record_id=record.pk)
    return type(record).objects.get(pk=record.pk).version, waits.count()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("spec", [CONTACTS, COMPANIES, OPPORTUNITIES], ids=lambda spec: spec.entity)
def test_each_bulk_action_for_each_role(spec, role, world, acme, sign_in):
    client = sign_in(WHO[role])
    for action in spec.actions:
        mine = getattr(world.own, TRASHED[spec.entity] if action.trash else spec.entity)
        values = {
            "owner": "none",
            "team": "keep",
            "field": "owner",
            "asked": "1",
            "verb": "lose",
            "to": "proposal",
            "reason": "x",
            "value": "",
            "clear": "on",
            "until": str(date.today() + timedelta(days=30)),
        }
        data = {"action": action.name, "confirm": "1", "selected": mine.public_id, **values}
        before = state(mine)
        with taken_back():
            status = client.post(f"/{spec.entity}/bulk", data | {"query": "view=trash" * action.trash}).status_code
            changed = state(mine) != before
        allowed = RANK[role] >= RANK[action.role]
        assert (status, changed) == ((302, True) if allowed else (404, False)), action.name


@pytest.mark.parametrize("role", Role)
def test_who_completes_a_task(role, world, acme, sign_in):
    sign_in(WHO[role]).post(f"/activity/{world.own.task.public_id}/complete")
    done = Activity.objects.get(pk=world.own.task.pk).status == "done"
    assert done == (role != Role.VIEWER)


@pytest.mark.parametrize("role", Role)
def test_who_saves_and_deletes_a_view_of_the_workspace(role, world, sign_in):
    client, allowed = sign_in(WHO[role]), RANK[role] >= RANK[Role.MANAGER]
    assert client.post("/contact/view", {"name": "Ours", "shared": "1"}).status_code == (302 if allowed else 403)
    assert client.post("/contact/view", {"name": "Mine"}).status_code == 302
    gone = client.post(f"/contact/view/{world.own.view.slug}/delete").status_code
    assert gone == (302 if allowed else 403)
