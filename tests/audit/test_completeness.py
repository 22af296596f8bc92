"""R19: whatever changes a record, each changed column of each changed row has an entry with its old and new value.

Rows are compared as they stand in the tables before and after every write path there is; the log has to explain the
difference, no more and no less. Notifications are not business records (crm/notifications/models.py): the log has what
they tell of, and whether somebody has read one is nobody else's business.
"""

from dataclasses import dataclass, field

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from audit.subjects import all_subjects
from audit.undo import undo
from contacts.models import Contact
from contacts.verbs.assign import assign
from contacts.verbs.capture import capture
from contacts.verbs.churn import churn
from contacts.verbs.complete import complete
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from contacts.verbs.delete import delete
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit import edit
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.enrich import enrich
from contacts.verbs.log import log
from contacts.verbs.lose import lose
from contacts.verbs.merge import merge
from contacts.verbs.override import override
from contacts.verbs.partner import partner
from contacts.verbs.qualify import qualify
from contacts.verbs.reopen import reopen
from contacts.verbs.restore import restore
from contacts.verbs.set_status import set_status
from contacts.verbs.win import win
from crm.lifecycle.models import Guard
from crm.lifecycle.verbs.save_guard import save_guard
from crm.lists.verbs.delete_view import delete_view
from crm.lists.verbs.save_view import save_view
from crm.notifications.verbs.choose_channels import choose_channels
from crm.opportunities.verbs.create import create as open_opportunity
from crm.opportunities.verbs.lose import lose as lose_opportunity
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.reopen import reopen as reopen_opportunity
from crm.opportunities.verbs.win import win as win_opportunity
from crm.users.verbs.change_role import change_role
from crm.users.verbs.change_team import change_team
from crm.users.verbs.create_team import create_team
from crm.users.verbs.deactivate_member import deactivate_member
from crm.users.verbs.edit_workspace import edit_workspace
from crm.users.verbs.rename_team import rename_team
from tests.factories import make_activity, make_company, make_contact, make_field, make_opportunity, rows
from tests.replay import replay, snapshot


@dataclass
class Stage:
    """The records that the write paths change."""

    cast: object
    client: Client
    contact: Contact = field(init=False)

    def __post_init__(self):
        make_field("fleet_size", "number")
        self.company, self.boss = make_company("Metro"), make_contact("Boss")
        self.contact = make_contact(
            "Ana", owner=self.cast.rep, team=self.cast.iberia, company=self.company, fleet_size="5", phone="1"
        )
        self.other = make_contact("Bo", email="", manager=self.contact)
        self.twin = make_contact("Ana R", title="CFO", mobile="2", manager=self.boss, stage="qualified")
        self.qualified, self.customer, self.lost = (make_contact(stage=s) for s in ("qualified", "customer", "lost"))
        self.gone = make_contact()
        delete(rows(self.gone), by=self.by("manager"), reason="twice")
        self.task = make_activity(kind="task", contact=self.twin)
        self.deal = make_opportunity(contact=self.qualified, amount="5", next_step="Call")
        self.other_deal = make_opportunity(contact=self.twin)
        self.won_deal = make_opportunity(contact=self.customer, stage="won")
        choose_channels({"mentioned": "bell"}, by=self.by("mate"))
        self.view = save_view("contact", "Mine", by=self.by("manager"), condition="stage = lead")

    def by(self, who):
        return getattr(self.cast, who).actor("web")

    def post(self, url, **data):
        response = self.client.post(url, data)
        assert response.status_code == 302, (url, response.status_code, getattr(response, "context", None))

    def administer(self, url, **data):
        self.client.force_login(self.cast.admin.user)
        self.post(url, **data)

    def guard(self):
        return Guard(entity="contact", verb="win", condition="title = x", message="M")

    def guard_with(self, **values):
        guard = save_guard(self.guard(), by=self.by("admin"))
        for name, value in values.items():
            setattr(guard, name, value)
        return guard

    def undone(self, run):
        by = self.by("manager")
        run(by)
        undo(by.change, by=self.by("manager"))


def path(record, *parts) -> str:
    return "/".join([record.get_absolute_url(), *parts])


EVERY_FIELD = {
    "name": "Zoë", "first_name": "Zoë", "last_name": "Q", "email": "z@x.example", "phone": "3", "mobile": "4",
    "title": "CEO", "department": "Board", "role": "champion", "source": "Chat", "preferred_channel": "sms",
    "timezone": "Europe/Madrid", "language": "es", "linkedin_url": "x.example/z", "twitter_handle": "@z",
    "marketing_consent": "yes", "notes": "one\ntwo", "external_id": "77", "company": None, "owner": None,
    "team": None, "status": "bounced", "fleet_size": "9",
}  # fmt: skip
EVERY_COMPANY_FIELD = {
    "name": "Nordic", "domain": "n.example", "website": "n.example", "industry": "taxi", "employees": "12",
    "phone": "1", "street": "A 1", "city": "Oslo", "country": "no", "description": "d", "external_id": "9",
}  # fmt: skip

EVERY_OPPORTUNITY_FIELD = {
    "name": "Vans", "amount": "12.5", "currency": "usd", "close_date": "2026-12-24", "probability": "60%",
    "next_step": "n", "source": "s", "external_id": "5", "owner": None, "team": None,
}  # fmt: skip
UNIQUE_EMPTY = {"email": "", "external_id": ""}
UNIQUE_EMPTY_ID = {"external_id": ""}
EVERY_ACTIVITY_FIELD = {
    "kind": "email", "subject": "S", "body": "b", "sender": "a@x.example", "recipients": "b@x.example", "minutes": 1,
    "outcome": "o", "priority": "high",
}  # fmt: skip
WORKSPACE = {"name": "Acme AG", "timezone": "Europe/Madrid", "currency": "USD", "require_mfa": True}
GUARD = {"entity": "contact", "verb": "win", "condition": "title = x", "message": "M", "position": 1, "is_active": "on"}

WRITES = {
    "create": lambda s: create([EVERY_FIELD | {"manager": s.boss.pk, "company": s.company.pk}], by=s.by("rep")),
    "create_company": lambda s: create_company([EVERY_COMPANY_FIELD], by=s.by("rep")),
    "capture": lambda s: capture([{"name": "A"}, {"email": s.twin.email, "phone": "9"}], by=s.by("rep"), source="x"),
    "open an opportunity": lambda s: open_opportunity(
        [EVERY_OPPORTUNITY_FIELD | {"contact": s.twin, "company": s.company}], by=s.by("rep")
    ),
    "edit opportunities": lambda s: edit(
        rows(s.deal, s.other_deal), EVERY_OPPORTUNITY_FIELD | UNIQUE_EMPTY_ID | {"contact": s.boss}, by=s.by("manager")
    ),
    "assign opportunities": lambda s: assign(rows(s.deal), s.cast.mate, by=s.by("manager"), team=s.cast.iberia),
    "move opportunities": lambda s: move_stage(rows(s.deal, s.other_deal), "proposal", by=s.by("manager")),
    "win opportunities": lambda s: win_opportunity(rows(s.deal, s.other_deal), by=s.by("manager")),
    "lose opportunities": lambda s: lose_opportunity(
        rows(s.deal, s.other_deal), by=s.by("manager"), reason="Price", contacts="lose"
    ),
    "reopen an opportunity": lambda s: reopen_opportunity(rows(s.won_deal), by=s.by("manager"), reason="x"),
    "delete an opportunity": lambda s: delete(rows(s.deal), by=s.by("manager"), reason="x"),
    "undo winning": lambda s: s.undone(lambda by: win_opportunity(rows(s.deal), by=by)),
    "undo losing": lambda s: s.undone(lambda by: lose_opportunity(rows(s.deal), by=by, reason="x", contacts="lose")),
    "edit": lambda s: edit(rows(s.contact, s.twin, s.boss), EVERY_FIELD | UNIQUE_EMPTY, by=s.by("manager")),
    "edit names": lambda s: edit(rows(s.contact), {"first_name": "A", "name": ""}, by=s.by("manager")),
    "edit company": lambda s: edit(rows(s.company), EVERY_COMPANY_FIELD, by=s.by("manager")),
    "assign": lambda s: assign(rows(s.contact, s.twin), s.cast.mate, by=s.by("manager"), team=None),
    "enrich": lambda s: enrich(rows(s.contact, s.twin), {"title": "CEO", "phone": "9"}, by=s.by("manager"), source="x"),
    "delete": lambda s: delete(rows(s.contact, s.twin), by=s.by("manager"), reason="x"),
    "restore": lambda s: restore(rows(s.gone), by=s.by("manager")),
    "set_status": lambda s: set_status(rows(s.contact, s.twin), "bounced", by=s.by("manager")),
    "qualify": lambda s: qualify(rows(s.contact, s.boss), by=s.by("manager")),
    "win": lambda s: win(rows(s.qualified), by=s.by("manager")),
    "lose": lambda s: lose(rows(s.contact), by=s.by("manager"), reason="x"),
    "churn": lambda s: churn(rows(s.customer), by=s.by("manager"), reason="x"),
    "partner": lambda s: partner(rows(s.customer), by=s.by("manager"), reason="x"),
    "reopen": lambda s: reopen(rows(s.lost), by=s.by("manager"), reason="x"),
    "override": lambda s: override(rows(s.contact, s.lost), "churned", by=s.by("manager"), reason="x"),
    "merge": lambda s: merge(s.contact, rows(s.twin, s.other), by=s.by("manager"), choose={"name": "Ana R"}),
    "log": lambda s: log([EVERY_ACTIVITY_FIELD | {"contact_id": s.contact.pk}], by=s.by("rep")),
    "complete": lambda s: complete(rows(s.task), by=s.by("manager")),
    "edit_activity": lambda s: edit_activity(rows(s.task), {"subject": "T", "status": "cancelled"}, by=s.by("manager")),
    "delete_activity": lambda s: delete_activity(rows(s.task), by=s.by("manager")),
    "save_view": lambda s: save_view("contact", "New", by=s.by("manager"), columns=("name",), shared=True),
    "save over a view": lambda s: save_view("contact", "Mine", by=s.by("manager"), condition="title = x", sort="-name"),
    "delete_view": lambda s: delete_view("contact", s.view.slug, by=s.by("manager")),
    "choose_channels": lambda s: choose_channels({"assigned": "mail"}, by=s.by("rep")),
    "choose other channels": lambda s: choose_channels({"assigned": "nothing"}, by=s.by("mate")),
    "make a field": lambda s: make_field("insured", "yes_no"),
    "change_role": lambda s: change_role(s.cast.mate, "manager", by=s.by("admin")),
    "change_team": lambda s: change_team(s.cast.mate, s.cast.nordics, by=s.by("admin")),
    "deactivate_member": lambda s: deactivate_member(s.cast.mate, by=s.by("admin")),
    "create_team": lambda s: create_team("South", by=s.by("admin")),
    "rename_team": lambda s: rename_team(s.cast.iberia, "Hispania", by=s.by("admin")),
    "save_guard": lambda s: save_guard(s.guard(), by=s.by("admin")),
    "change a guard": lambda s: save_guard(s.guard_with(message="Else", is_active=False), by=s.by("admin")),
    "edit_workspace": lambda s: edit_workspace(**WORKSPACE, by=s.by("admin")),
    "admin: guard": lambda s: s.administer("/admin/lifecycle/guard/add/", **GUARD),
    "undo an edit": lambda s: s.undone(lambda by: edit(rows(s.contact), EVERY_FIELD, by=by)),
    "undo a creation": lambda s: s.undone(lambda by: create([EVERY_FIELD], by=by)),
    "undo a merge": lambda s: s.undone(lambda by: merge(s.contact, rows(s.twin), by=by)),
    "page: new": lambda s: s.post("/contact/new", name="New", email="new@x.example", status="active"),
    "page: edit and move": lambda s: s.post(path(s.contact, "edit"), **_form(s.contact, title="CEO"), move="qualify"),
    "page: field": lambda s: s.post(path(s.contact, "field", "title"), title="CEO", **{"base-title": ""}),
    "page: move": lambda s: s.post(path(s.contact, "lose"), reason="x"),
    "page: delete": lambda s: s.post(path(s.contact, "delete"), reason="x"),
    "page: restore": lambda s: s.post(path(s.gone, "restore")),
    "page: merge": lambda s: s.post(path(s.contact, "merge"), other=s.twin.public_id, **{"keep-name": "other"}),
    "page: activity": lambda s: s.post(path(s.contact, "activity"), kind="note", body="Hello", priority="normal"),
    "page: complete": lambda s: s.post(f"/activity/{s.task.public_id}/complete"),
    "page: bulk assign": lambda s: s.post("/contact/bulk", **_bulk(s, "assign", owner=s.cast.mate.pk, team="")),
    "page: bulk stage": lambda s: s.post("/contact/bulk", **_bulk(s, "stage", verb="lose", reason="x")),
    "page: bulk edit": lambda s: s.post("/contact/bulk", **_bulk(s, "edit", asked=1, field="fleet_size", value="77")),
    "page: bulk delete of all": lambda s: s.post("/contact/bulk", **_bulk(s, "delete", reason="x", everything=1)),
    "page: save a view": lambda s: s.post("/contact/view?where=title+%3D+x", name="CFOs"),
    "page: undo": lambda s: s.post(reverse("undo", args=[Entry.objects.filter(event="contact.deleted").get().change])),
}  # fmt: skip


def _form(contact: Contact, **changes) -> dict:
    seen = {"name": contact.name, "email": contact.email, "status": "active", "title": "", "fleet_size": 5}
    seen |= {"owner": contact.owner_id, "team": contact.team_id, "phone": "1", "external_id": ""}
    seen["company"] = f"{contact.company} ({contact.company.public_id})"
    return seen | changes | {f"base-{key}": value for key, value in seen.items()}


def _bulk(stage: Stage, action: str, **values) -> dict:
    selected = [stage.contact.public_id, stage.twin.public_id]
    return {"action": action, "confirm": 1, "selected": selected, "query": "view=all"} | values


@pytest.fixture
def stage(acme, cast, sign_in):
    return Stage(cast, sign_in("manager"))


@pytest.mark.parametrize("name", WRITES)
def test_the_log_explains_every_difference(name, stage):
    before, last = snapshot(), Entry.objects.latest("id").pk
    WRITES[name](stage)
    after = snapshot()
    replayed = replay(before, Entry.objects.filter(id__gt=last).order_by("id"))
    assert set(replayed) == set(after)
    for key, columns in after.items():
        assert replayed[key] == columns, key
    if not name.startswith("undo "):
        assert before != after


# tests/users writes the rest of these through their verbs.
PEOPLE = {"workspace", "member", "team", "invitation", "user"}


def test_every_audited_model_is_written_by_one_of_these(stage):
    """A new subject needs a write path above."""
    last = Entry.objects.latest("id").pk
    made = (
        "create",
        "create_company",
        "open an opportunity",
        "log",
        "save_view",
        "make a field",
        "save_guard",
        "create_team",
        "choose_channels",
    )
    for name in made:
        WRITES[name](stage)
    written = set(Entry.objects.filter(id__gt=last).values_list("entity", flat=True))
    assert {about.entity for about in all_subjects()} - PEOPLE == written - PEOPLE
