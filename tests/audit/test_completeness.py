"""R19: every changed column of every changed row has an entry with its old and new value.

Rows are compared in the tables before and after every write path; the log must explain exactly the difference.
Notifications are not business records (crm/notifications/models.py): the log has their causes, and reading them is
private.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from audit.subjects import all_subjects
from audit.undo.undo import undo
from contacts.axes import LIFECYCLE
from contacts.engagement import NewEngagement
from contacts.models import Contact, Participant
from contacts.verbs.add_participants import add_participants
from contacts.verbs.capture import capture
from contacts.verbs.churn import churn
from contacts.verbs.complete import complete
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from contacts.verbs.delete_activity import delete_activity
from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.engage import engage
from contacts.verbs.enrich import enrich
from contacts.verbs.lift_suppression import lift_suppression
from contacts.verbs.log import log
from contacts.verbs.lose import lose
from contacts.verbs.merge import merge
from contacts.verbs.merge_companies import merge_companies
from contacts.verbs.override import override
from contacts.verbs.partner import partner
from contacts.verbs.postpone import postpone
from contacts.verbs.qualify import qualify
from contacts.verbs.remove_participants import remove_participants
from contacts.verbs.reopen import reopen
from contacts.verbs.restore_activity import restore_activity
from contacts.verbs.set_free_mail_domains import set_free_mail_domains
from contacts.verbs.set_status import set_status
from contacts.verbs.win import win
from crm.anomalies.jobs import find_anomalies
from crm.anomalies.verbs.end_waivers import end_waivers
from crm.anomalies.verbs.waive import waive
from crm.campaigns.models import CampaignPerson
from crm.campaigns.sending import deliver
from crm.campaigns.verbs.add_people import add_people
from crm.campaigns.verbs.cancel_campaign import cancel_campaign
from crm.campaigns.verbs.resubscribe import resubscribe
from crm.campaigns.verbs.retry_campaign import retry_campaign
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.campaigns.verbs.try_campaign import try_campaign
from crm.campaigns.verbs.unsubscribe import unsubscribe
from crm.dashboards.verbs.arrange import arrange
from crm.dashboards.verbs.subscribe import subscribe
from crm.entities.fields import FieldType
from crm.entities.models import CustomField
from crm.entities.verbs.convert_custom_field import convert_custom_field
from crm.files.verbs.delete_attachment import delete_attachment
from crm.files.verbs.edit_attachment import edit_attachment
from crm.files.verbs.purge_attachments import purge_attachments
from crm.kit import clock
from crm.kit.scope import in_workspace
from crm.lifecycle.models import Guard
from crm.lifecycle.verbs.save_definition import save_definition
from crm.lifecycle.verbs.save_guard import save_guard
from crm.lifecycle.verbs.wait import wait
from crm.lists.verbs.delete_view import delete_view
from crm.lists.verbs.save_view import save_view
from crm.notifications.verbs.choose_channels import choose_channels
from crm.opportunities.models import OpportunityContact
from crm.opportunities.pipelines import default_pipeline, first_stage
from crm.opportunities.pipelines import stage as stage_named
from crm.opportunities.verbs.add_person import add_person
from crm.opportunities.verbs.archive_stage import archive_stage
from crm.opportunities.verbs.change_pipeline import change_pipeline
from crm.opportunities.verbs.create import create as open_opportunity
from crm.opportunities.verbs.create_pipeline import create_pipeline
from crm.opportunities.verbs.edit_person import edit_person
from crm.opportunities.verbs.lose import lose as lose_opportunity
from crm.opportunities.verbs.make_primary import make_primary
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.remove_person import remove_person
from crm.opportunities.verbs.reopen import reopen as reopen_opportunity
from crm.opportunities.verbs.save_pipeline import StageRow, save_pipeline
from crm.opportunities.verbs.win import win as win_opportunity
from crm.records.verbs.archive_team import archive_team
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from crm.users.verbs.change_role import change_role
from crm.users.verbs.change_team import change_team
from crm.users.verbs.create_team import create_team
from crm.users.verbs.deactivate_member import deactivate_member
from crm.users.verbs.edit_workspace import edit_workspace
from crm.users.verbs.rename_team import rename_team
from crm.users.verbs.restore_team import restore_team
from crm.workflows.models import Workflow
from crm.workflows.verbs.pause_workflow import pause_workflow
from crm.workflows.verbs.release_import import release_import
from crm.workflows.verbs.rotate_secret import rotate_secret
from crm.workflows.verbs.save_workflow import save_workflow
from crm.workflows.verbs.switch_workflow import switch_workflow
from leads.assignment.models import AssignmentRule
from leads.jobs import notice_overdue
from leads.models import Lead
from leads.scoring.shipped import RULES
from leads.staging import restage
from leads.verbs.convert import convert
from leads.verbs.create_leads import create_leads as open_lead
from leads.verbs.first_contact import first_contact
from leads.verbs.lose_leads import lose_leads as lose_lead
from leads.verbs.qualify import qualify as qualify_lead
from leads.verbs.reactivate import reactivate
from leads.verbs.save_assignment_rule import save_assignment_rule
from leads.verbs.save_scoring_model import save_scoring_model
from leads.verbs.set_duties import set_duties
from leads.verbs.set_first_contact_terms import set_first_contact_terms
from tests.campaigns.conftest import make_campaign
from tests.factories import make_activity, make_company, make_contact, make_field, make_opportunity, rows
from tests.files.conftest import attached, upload
from tests.installed import legacy_leads
from tests.leads.factories import make_lead, ready, score
from tests.replay import OWN_LOG, replay, snapshot
from tests.shared import share


@dataclass
class Stage:
    """The records changed by the write paths."""

    cast: object
    client: Client = field(init=False)
    contact: Contact = field(init=False)

    def __post_init__(self):
        make_field("fleet_size", "number")
        self.company, self.boss = make_company("Metro"), make_contact("Boss")
        self.other_company = make_company("Metro Cabs", domain="metro.example", phone="2")
        make_contact("Cabbie", company=self.other_company)
        make_company("Metro Taxis", parent=self.other_company)
        self.contact = make_contact(
            "Ana", owner=self.cast.rep, team=self.cast.iberia, company=self.company, fleet_size="5", phone="1"
        )
        self.other = make_contact("Bo", email="", manager=self.contact)
        self.twin = make_contact("Ana R", title="CFO", mobile="2", manager=self.boss, stage="qualified")
        self.qualified, self.customer, self.lost = (make_contact(stage=s) for s in ("qualified", "customer", "lost"))
        self.gone = make_contact()
        delete(rows(self.gone), by=self.by("manager"), reason="twice")
        self.task = make_activity(kind="task", contact=self.twin)
        self.gone_task = make_activity(kind="task", contact=self.twin)
        delete_activity(rows(self.gone_task), by=self.by("manager"))
        self.deal = make_opportunity(contact=self.qualified, amount="5", next_step="Call")
        self.other_deal = make_opportunity(contact=self.twin)
        self.won_deal = make_opportunity(contact=self.customer, stage="won")
        if legacy_leads:
            legacy_leads.prepare(self)
        self.leadless, self.lead, self.ready = make_contact(), make_lead(self.contact), ready(name="Ready")
        self.gone_lead, self.lost_lead = make_lead(self.leadless), make_lead(self.boss)
        delete(rows(self.gone_lead), by=self.by("manager"), reason="twice")
        lose_lead(rows(self.lost_lead), by=self.by("manager"), reason="x")
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

    def convert(self, by):
        return convert_custom_field(CustomField.objects.get(key="fleet_size"), FieldType.SELECT, by=by)

    def guard(self):
        return Guard(entity="contact", verb="win", condition="title = x", message="M")

    def guard_with(self, **values):
        guard = save_guard(self.guard(), by=self.by("admin"))
        for name, value in values.items():
            setattr(guard, name, value)
        return guard

    def rule(self):
        return AssignmentRule(name="Web", condition="source = web", people=[self.cast.rep.pk])

    def rule_with(self, **values):
        rule = save_assignment_rule(self.rule(), by=self.by("admin"))
        for name, value in values.items():
            setattr(rule, name, value)
        return rule

    def workflow(self, made=None, name="Flow", condition=""):
        step = {"kind": "change_field", "field": "title", "value": "CEO"}
        facts = {"trigger": {"kind": "manual", "entity": "contact"}, "steps": [step], "owner": self.cast.admin.pk}
        return save_workflow(made or Workflow(), name=name, condition=condition, by=self.by("admin"), **facts)

    def workflow_with(self, **values):
        return self.workflow(self.workflow(), **values)

    def sent(self):
        edit(rows(self.contact), {"marketing_consent": "Given"}, by=self.by("manager"))
        return send_campaign(make_campaign(self.by("manager"), segment="all"), by=self.by("manager"))

    def failed(self):
        sent = self.sent()
        sent.people.filter(state="waiting").update(state="failed")
        deliver(sent.people.filter(state="failed").earliest("pk").pk, by=self.by("manager"))
        retry_campaign(sent, by=self.by("manager"))

    def paused(self):
        switch_workflow(self.workflow(), True, by=self.by("admin"))
        pause_workflow(Workflow.objects.get().pk, "Too often.", by=self.by("admin"))

    def pooled(self):
        set_duties({self.cast.rep.pk: (True, False)}, by=self.by("admin"))
        create([{"name": "New", "owner": None}], by=self.by("manager"))

    def overdue(self):
        with clock.at(clock.now() + timedelta(days=2)):
            notice_overdue(clock.now())

    @property
    def soon(self):
        return clock.now() + timedelta(days=2)

    def trouble(self):
        find_anomalies(clock.now())
        return self.boss

    def ended_waiver(self):
        waive(rows(self.trouble()), "contact_unowned", by=self.by("manager"), reason="x", until=self.soon)
        end_waivers(rows(self.boss), "contact_unowned", by=self.by("manager"))

    def restaged(self):
        score(self.lead, 760)
        with transaction.atomic():
            restage(Lead.objects.all(), by=self.by("manager"))

    def attached(self, record):
        [file] = attached(record, upload("a.txt", b"text"), by=self.by("manager"))
        return file

    def purged(self):
        for record in (self.contact, self.company, self.task):
            delete_attachment(rows(self.attached(record)), by=self.by("manager"))
        purge_attachments(clock.now() + timedelta(days=1), by=self.by("admin"))
        self.attached(self.lead)

    def undone(self, run, who="manager"):
        by = self.by(who)
        run(by)
        undo(by.change, by=self.by(who))


def path(record, *parts) -> str:
    return "/".join([record.get_absolute_url(), *parts])


def renewals(s: Stage) -> str:
    """Create a second pipeline; return its first stage."""
    made = create_pipeline("Renewals", template="renewals", by=s.by("admin"))
    return first_stage("open", made.key).key


def participants_of(s: Stage):
    add_participants(rows(s.task), [s.boss], by=s.by("manager"))
    return Participant.objects.filter(activity=s.task)


def people_on(s: Stage):
    add_person(rows(s.deal), s.twin, by=s.by("manager"))
    return OpportunityContact.objects.filter(opportunity=s.deal)


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
    "street2": "B", "postal_code": "2", "region": "R", "other_domains": "m.example, o.example", "parent": None,
}  # fmt: skip

EVERY_LEAD_FIELD = {
    "source": "s", "campaign": "c", "fleet_size": "120", "country": "ae", "description": "d", "external_id": "5",
    "estimated_value": "12.5", "currency": "usd", "owner": None, "team": None,
}  # fmt: skip
EVERY_OPPORTUNITY_FIELD = {
    "name": "Vans", "amount": "12.5", "currency": "usd", "close_date": "2026-12-24", "probability": "60%",
    "next_step": "n", "source": "s", "external_id": "5", "owner": None, "team": None,
}  # fmt: skip
UNIQUE_EMPTY = {"email": "", "external_id": ""}
UNIQUE_EMPTY_ID = {"external_id": ""}
EVERY_ACTIVITY_FIELD = {
    "kind": "email", "subject": "S", "body": "b", "sender": "a@x.example", "recipients": "b@x.example", "minutes": 1,
    "priority": "high",
}  # fmt: skip
DEFINITION = {"meaning": "M", "entry": "email is not empty", "exit": "phone is not empty", "expected_days": 3}
TERMS = {"hours": 8, "in_business_hours": True, "days": [0, 1], "opens": 480, "closes": 1020}
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
    "move opportunities": lambda s: move_stage(rows(s.deal, s.other_deal), to="proposal", by=s.by("manager")),
    "win opportunities": lambda s: win_opportunity(rows(s.deal, s.other_deal), by=s.by("manager")),
    "lose opportunities": lambda s: lose_opportunity(
        rows(s.deal, s.other_deal), by=s.by("manager"), reason="Price", contacts="lose"
    ),
    "reopen an opportunity": lambda s: reopen_opportunity(rows(s.won_deal), by=s.by("manager"), reason="x"),
    "delete an opportunity": lambda s: delete(rows(s.deal), by=s.by("manager"), reason="x"),
    "undo winning": lambda s: s.undone(lambda by: win_opportunity(rows(s.deal), by=by)),
    "undo losing": lambda s: s.undone(lambda by: lose_opportunity(rows(s.deal), by=by, reason="x", contacts="lose")),
    **(legacy_leads.WRITES if legacy_leads else {}),
    "open a lead": lambda s: open_lead([EVERY_LEAD_FIELD | {"contact": s.leadless}], by=s.by("manager")),
    "edit leads": lambda s: edit(rows(s.lead), EVERY_LEAD_FIELD, by=s.by("manager")),
    "assign leads": lambda s: assign(rows(s.lead, s.ready), s.cast.mate, by=s.by("manager"), team=s.cast.nordics),
    "contact leads": lambda s: first_contact(rows(s.lead, s.ready), by=s.by("manager")),
    "qualify leads": lambda s: qualify_lead(rows(s.lead), to="sales_qualified", by=s.by("manager"), reason="x"),
    "convert leads": lambda s: convert(rows(s.ready), by=s.by("manager")),
    "lose leads": lambda s: lose_lead(rows(s.lead, s.ready), by=s.by("manager"), reason="x"),
    "reactivate leads": lambda s: reactivate(rows(s.lost_lead), by=s.by("manager"), reason="x"),
    "delete leads": lambda s: delete(rows(s.lead), by=s.by("manager"), reason="x"),
    "restore leads": lambda s: restore(rows(s.gone_lead), by=s.by("manager")),
    "restage leads": lambda s: s.restaged(),
    "undo converting": lambda s: s.undone(lambda by: convert(rows(s.ready), by=by)),
    "undo qualifying a lead": lambda s: s.undone(
        lambda by: qualify_lead(rows(s.lead), to="sales_qualified", by=by, reason="x")
    ),
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
    "override": lambda s: override(rows(s.contact, s.lost), to="churned", by=s.by("manager"), reason="x"),
    "merge": lambda s: merge(s.contact, rows(s.twin, s.other), by=s.by("manager"), choose={"name": "Ana R"}),
    "merge_companies": lambda s: merge_companies(
        s.company, rows(s.other_company), by=s.by("manager"), choose={"name": "Ours"}
    ),
    "undo merging companies": lambda s: s.undone(lambda by: merge_companies(s.company, rows(s.other_company), by=by)),
    "set_free_mail_domains": lambda s: [
        set_free_mail_domains(domains, by=s.by("admin")) for domains in (["isp.example"], [])
    ],
    "engage": lambda s: engage([NewEngagement(s.contact.pk, "demo_request", clock.now())], by=s.by("rep")),
    "save_scoring_model": lambda s: save_scoring_model("Ours", RULES, 14, by=s.by("admin")),
    "log": lambda s: log([EVERY_ACTIVITY_FIELD | {"contact_id": s.contact.pk}], by=s.by("rep")),
    "complete": lambda s: complete(rows(s.task), by=s.by("manager")),
    "edit_activity": lambda s: edit_activity(rows(s.task), {"subject": "T", "status": "cancelled"}, by=s.by("manager")),
    "delete_activity": lambda s: delete_activity(rows(s.task), by=s.by("manager")),
    "save_view": lambda s: save_view("contact", "New", by=s.by("manager"), columns=("name",), shared=True),
    "save over a view": lambda s: save_view("contact", "Mine", by=s.by("manager"), condition="title = x", sort="-name"),
    "delete_view": lambda s: delete_view("contact", s.view.slug, by=s.by("manager")),
    "save_assignment_rule": lambda s: save_assignment_rule(s.rule(), by=s.by("admin")),
    "change an assignment rule": lambda s: save_assignment_rule(
        s.rule_with(name="Else", is_active=False, people=[s.cast.mate.pk]), by=s.by("admin")
    ),
    "set_duties": lambda s: set_duties({s.cast.rep.pk: (True, False), s.cast.mate.pk: (False, True)}, by=s.by("admin")),
    "set_first_contact_terms": lambda s: set_first_contact_terms(**TERMS, by=s.by("admin")),
    "set other terms": lambda s: [
        set_first_contact_terms(**(TERMS | {"hours": hours}), by=s.by("admin")) for hours in (8, 9)
    ],
    "assign leads by turn": lambda s: s.pooled(),
    "notice overdue leads": lambda s: s.overdue(),
    "save_workflow": lambda s: s.workflow(),
    "change a workflow": lambda s: s.workflow_with(name="Else", condition="title = x"),
    "switch a workflow": lambda s: switch_workflow(s.workflow(), True, by=s.by("admin")),
    "pause a workflow": lambda s: s.paused(),
    "rotate a secret": lambda s: rotate_secret(s.workflow(), by=s.by("admin")),
    "release an import": lambda s: release_import(s.by("rep").change, by=s.by("admin")),
    "make a campaign": lambda s: make_campaign(s.by("manager")),
    "change a campaign": lambda s: save_campaign(
        make_campaign(s.by("manager")), {"name": "Else", "body": "B", "owner": s.cast.admin.pk}, by=s.by("manager")
    ),
    "send a campaign": lambda s: s.sent(),
    "cancel a campaign": lambda s: cancel_campaign(s.sent(), by=s.by("manager")),
    "add to a campaign": lambda s: add_people(make_campaign(s.by("manager")), rows(s.contact), by=s.by("manager")),
    "try a campaign": lambda s: try_campaign(make_campaign(s.by("manager")), by=s.by("manager")),
    "send again": lambda s: s.failed(),
    "resubscribe": lambda s: (
        unsubscribe(s.sent().people.get(contact=s.contact), by=s.by("manager")),
        resubscribe(CampaignPerson.objects.get(contact=s.contact), by=s.by("manager")),
        edit(rows(s.contact), {"title": "Back"}, by=s.by("manager")),
    ),
    "lift_suppression": lambda s: (
        set_status(rows(s.contact, s.twin), "bounced", by=s.by("manager")),
        lift_suppression(rows(s.twin), by=s.by("admin"), reason="It works"),
    ),
    "unsubscribe": lambda s: unsubscribe(s.sent().people.get(contact=s.contact), by=s.by("manager")),
    "waive": lambda s: waive(rows(s.trouble()), "contact_unowned", by=s.by("manager"), reason="x", until=s.soon),
    "end_waivers": lambda s: s.ended_waiver(),
    "choose_channels": lambda s: choose_channels({"assigned": "mail"}, by=s.by("rep")),
    "choose other channels": lambda s: choose_channels({"assigned": "nothing"}, by=s.by("mate")),
    "attach": lambda s: s.attached(s.contact),
    "edit_attachment": lambda s: edit_attachment(
        rows(s.attached(s.task)), name="b.txt", description="Signed", by=s.by("manager")
    ),
    "delete_attachment": lambda s: delete_attachment(rows(s.attached(s.deal)), by=s.by("manager")),
    "purge_attachments": lambda s: s.purged(),
    "merge with files": lambda s: (s.attached(s.twin), merge(s.contact, rows(s.twin), by=s.by("manager"))),
    "create_pipeline": lambda s: create_pipeline("Renewals", template="renewals", by=s.by("admin")),
    "save_pipeline": lambda s: save_pipeline(
        default_pipeline(), name="Direct", stages=[StageRow(label="Review")], by=s.by("admin")
    ),
    "archive_stage": lambda s: archive_stage(stage_named("prospecting"), to="proposal", by=s.by("admin")),
    "change_pipeline": lambda s: change_pipeline(rows(s.deal), to=renewals(s), by=s.by("manager")),
    "add_participants": lambda s: add_participants(rows(s.task), [s.boss], by=s.by("manager")),
    "remove_participants": lambda s: remove_participants(participants_of(s), by=s.by("manager")),
    "postpone": lambda s: postpone(rows(s.task), day=date(2027, 3, 1), by=s.by("manager")),
    "restore_activity": lambda s: restore_activity(rows(s.gone_task), by=s.by("manager")),
    "add_person": lambda s: add_person(rows(s.deal), s.twin, role="champion", by=s.by("manager")),
    "make_primary": lambda s: make_primary(people_on(s), by=s.by("manager")),
    "edit_person": lambda s: edit_person(people_on(s), role="blocker", by=s.by("manager")),
    "remove_person": lambda s: remove_person(people_on(s), by=s.by("manager")),
    "make a field": lambda s: make_field("insured", "yes_no"),
    "convert_custom_field": lambda s: s.convert(by=s.by("admin")),
    "undo a conversion": lambda s: s.undone(lambda by: s.convert(by=by), "admin"),
    "change_role": lambda s: change_role(s.cast.mate, "manager", by=s.by("admin")),
    "change_team": lambda s: change_team(s.cast.mate, s.cast.nordics, by=s.by("admin")),
    "deactivate_member": lambda s: deactivate_member(s.cast.mate, by=s.by("admin")),
    "create_team": lambda s: create_team("South", by=s.by("admin")),
    "archive_team": lambda s: archive_team(s.cast.iberia, to=s.cast.nordics, by=s.by("admin")),
    "restore_team": lambda s: (
        archive_team(s.cast.iberia, to=None, by=s.by("admin")),
        restore_team(s.cast.iberia, by=s.by("admin")),
    ),
    "undo the archiving of a team": lambda s: s.undone(lambda by: archive_team(s.cast.iberia, to=None, by=by), "admin"),
    "rename_team": lambda s: rename_team(s.cast.iberia, "Hispania", by=s.by("admin")),
    "save_definition": lambda s: save_definition(LIFECYCLE, "lead", DEFINITION, by=s.by("admin")),
    "wait": lambda s: wait(rows(s.contact), by=s.by("rep"), reason="Budget", until=s.soon),
    "wait again": lambda s: [
        wait(rows(s.contact), by=s.by("rep"), reason=reason, until=s.soon) for reason in ("Budget", "Holiday")
    ],
    "arrange": lambda s: arrange(["stuck", "funnel"], by=s.by("rep")),
    "arrange anew": lambda s: [arrange([name], by=s.by("rep")) for name in ("stuck", "funnel")],
    "subscribe": lambda s: subscribe("split=owner", by=s.by("rep"), days=30, every="week"),
    "subscribe anew": lambda s: [subscribe("", by=s.by("rep"), days=9, every=every) for every in ("day", "")],
    "save_guard": lambda s: save_guard(s.guard(), by=s.by("admin")),
    "change a guard": lambda s: save_guard(s.guard_with(message="Else", is_active=False), by=s.by("admin")),
    "edit_workspace": lambda s: edit_workspace(**WORKSPACE, by=s.by("admin")),
    "admin: guard": lambda s: s.administer("/admin/lifecycle/guard/add/", **GUARD),
    "undo an edit": lambda s: s.undone(lambda by: edit(rows(s.contact), EVERY_FIELD, by=by)),
    "undo an upload": lambda s: s.undone(lambda by: attached(s.contact, by=by)),
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
    "page: files": lambda s: s.post(path(s.contact, "files"), files=[upload("a.txt", b"a"), upload("b.txt", b"b")]),
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
    values |= {"confirmed": Contact.objects.live().count()} if "everything" in values else {}
    return {"action": action, "confirm": 1, "selected": selected, "query": "view=all"} | values


@share
def shared_stage(shared_cast):
    """Create the records changed by the write paths."""
    with in_workspace(shared_cast.acme):
        return Stage(shared_cast)


@pytest.fixture
def stage(acme, shared_stage, sign_in):
    shared_stage.client = sign_in("manager")
    return shared_stage


OWN_LOGS = {"engage"}  # writes only OWN_LOG rows


@pytest.mark.parametrize("name", WRITES)
def test_the_log_explains_every_difference(name, stage):
    before, last = snapshot(), Entry.objects.latest("id").pk
    WRITES[name](stage)
    after = snapshot()
    replayed = replay(before, Entry.objects.filter(id__gt=last).order_by("id"))
    assert set(replayed) == set(after)
    for key, columns in after.items():
        assert replayed[key] == columns, key
    if not name.startswith("undo ") and name not in OWN_LOGS:
        assert before != after


# tests/users writes the rest through their verbs.
PEOPLE = {"workspace", "member", "team", "invitation", "user", "identity_provider"}


def test_every_audited_model_is_written_by_one_of_these(stage):
    """A new subject needs a write path above."""
    last = Entry.objects.latest("id").pk
    made = (
        "create",
        "create_company",
        "make a campaign",
        "open an opportunity",
        *(legacy_leads.WRITING_EACH if legacy_leads else ()),
        "log",
        "attach",
        "set_status",
        "save_scoring_model",
        "save_view",
        "create_pipeline",
        "add_person",
        "add_participants",
        "make a field",
        "save_guard",
        "create_team",
        "choose_channels",
        "save_assignment_rule",
        "set_duties",
        "set_free_mail_domains",
        "set other terms",
        "save_workflow",
        "release an import",
        "waive",
        "save_definition",
        "wait",
        "arrange",
        "subscribe",
    )
    for name in made:
        WRITES[name](stage)
    written = set(Entry.objects.filter(id__gt=last).values_list("entity", flat=True))
    assert {about.entity for about in all_subjects()} - PEOPLE - OWN_LOG == written - PEOPLE
