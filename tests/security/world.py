"""Two workspaces with marked rows in every model, so that leaks are visible as the mark.

`own` belongs to acme's rep without a team, `hidden` to a team of acme that neither rep nor viewer is in, `theirs` to
globex.
"""

import io
import uuid
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

from allauth.mfa.models import Authenticator
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from audit.models import Entry
from contacts.models import Activity, Company, Contact, Participant
from contacts.pictures import square_webp
from contacts.verbs.add_participants import add_participants
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from contacts.verbs.log import log
from contacts.verbs.merge import merge
from contacts.verbs.merge_companies import merge_companies
from contacts.verbs.set_avatar import set_avatar
from crm.anomalies.models import Finding
from crm.campaigns.models import Campaign
from crm.campaigns.verbs.add_people import add_people
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.entities.models import CustomField
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.events.health import PARTS
from crm.events.models import Delivery, Event, Heartbeat
from crm.files.models import Attachment
from crm.files.storing import stored
from crm.files.verbs.attach import attach
from crm.files.verbs.edit_attachment import edit_attachment
from crm.kit import clock
from crm.kit.actor import Actor, Channel, Role, system
from crm.kit.scope import in_workspace
from crm.lifecycle.models import Guard
from crm.lifecycle.verbs.save_guard import save_guard
from crm.lists.imports.running import new_run, run_import
from crm.lists.models import ImportRun, UndoRun
from crm.lists.verbs.save_view import save_view
from crm.notifications.kinds import ASSIGNED
from crm.notifications.models import Notification
from crm.notifications.notify import NewNotification, notify
from crm.opportunities.models import Opportunity, OpportunityContact
from crm.opportunities.pipelines import stages
from crm.opportunities.verbs.add_person import add_person
from crm.opportunities.verbs.create import create as open_opportunity
from crm.opportunities.verbs.create_pipeline import create_pipeline
from crm.opportunities.verbs.save_pipeline import StageRow, save_pipeline
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.users.models import Membership, Team
from crm.users.verbs.create_team import create_team
from crm.users.verbs.invite import invite
from crm.users.verbs.save_identity_provider import save_identity_provider
from crm.workflows.models import Run, Workflow
from crm.workflows.verbs.save_workflow import save_workflow
from crm.workflows.verbs.switch_workflow import switch_workflow
from leads.assignment.models import AssignmentRule
from leads.models import Lead
from leads.verbs.save_assignment_rule import save_assignment_rule
from tests.installed import legacy_leads

OWN, HIDDEN, THEIRS = "ownmark", "hiddenmark", "theirmark"
COMPANY_TEXTS = ("name", "industry", "street", "street2", "city", "region", "description")
CONTACT_TEXTS = ("title", "department", "source", "notes", "twitter_handle", "marketing_consent")


def build(cast) -> SimpleNamespace:
    """Fill both workspaces; return own, hidden and theirs."""
    own = fill(cast.rep, OWN, None)
    hidden = fill(cast.outsider, HIDDEN, cast.nordics)
    with in_workspace(cast.globex):
        team = create_team(f"{THEIRS} team", by=act(cast.globex_admin))
    theirs = fill(cast.globex_rep, THEIRS, team)
    own.team, theirs.team = cast.iberia, team
    add_settings(own, cast.admin, cast.mate)
    add_settings(theirs, cast.globex_admin, cast.globex_rep)
    # No engine runs during tests; for /readyz one does, longer than any test lasts.
    Heartbeat.objects.bulk_create(Heartbeat(part=part, at=timezone.now() + timedelta(hours=1)) for part in PARTS)
    return SimpleNamespace(own=own, hidden=hidden, theirs=theirs)


def act(member: Membership) -> Actor:
    """Return the member as an actor on the web."""
    return member.actor(Channel.WEB)


def fill(member: Membership, mark: str, team: Team | None) -> SimpleNamespace:
    """Create one of every record that a rep can, with the mark in every text; attribute names match the routes."""
    with in_workspace(member.workspace):
        company = make_company(member, mark, team)
        contact = make_contact(member, mark, team, company)
        set_avatar(rows(contact), square_webp(picture()), by=act(member))
        changed = edit(rows(contact), {"department": f"{mark} changed"}, by=act(member))
        objects = SimpleNamespace(mark=mark, member=member, company=company, contact=contact)
        objects.change = changed.change
        undo = UndoRun.objects.create(
            change=changed.change, own_change=uuid.uuid4(), member=member, channel="web", finished_at=timezone.now()
        )
        undo.kept.create(entity="contact", record_id=contact.pk, person=contact.pk, why=f"{mark} was changed since.")
        objects.task = make_activity(member, mark, "task", contact=contact)
        objects.file = make_file(member, mark, contact)
        make_activity(member, mark, "note", company=company)
        objects.duplicate_company = make_company(member, f"{mark}-duplicate", team, parent=company)
        merge_companies(company, rows(make_company(member, f"{mark}-absorbed", team)), by=act(member))
        objects.duplicate = make_contact(member, f"{mark}-duplicate", team, company)
        absorbed = make_contact(member, f"{mark}-absorbed", team, company)
        merge(contact, rows(absorbed), by=act(member))
        objects.trashed = make_contact(member, f"{mark}-trashed", team, company)
        delete(rows(objects.trashed), by=act(member), reason=f"{mark} reason")
        objects.trashed_company = make_company(member, f"{mark}-trashed", team)
        delete(rows(objects.trashed_company), by=act(member), reason=f"{mark} reason")
        objects.opportunity = make_opportunity(member, mark, team, contact)
        person = make_contact(member, f"{mark}-on-deal", team, company)
        add_person(rows(objects.opportunity), person, by=act(member)).or_raise()
        objects.person = OpportunityContact.objects.get(opportunity=objects.opportunity)
        add_participants(rows(objects.task), [person], by=act(member)).or_raise()
        objects.participant = Participant.objects.get(activity=objects.task)
        objects.trashed_opportunity = make_opportunity(member, f"{mark}-trashed", team, contact)
        delete(rows(objects.trashed_opportunity), by=act(member), reason=f"{mark} reason")
        if legacy_leads:
            legacy_leads.add_records(objects, mark, team, contact, partial(act, member))
        objects.lead = make_lead(member, mark, contact)
        make_finding(member, mark, contact)
        objects.trashed_lead = Lead.objects.get(contact=objects.duplicate)
        delete(rows(objects.trashed_lead), by=act(member), reason=f"{mark} reason")
        save_view("contact", f"{mark} view", by=act(member), condition=f"name contains {mark}")
        objects.run = make_run(member, mark)
        objects.company_run = make_run(member, mark, "company")
        objects.opportunity_run = make_run(member, mark, "opportunity")
        objects.notification = notified(member, contact)
        objects.contact.refresh_from_db()
    return objects


def add_settings(objects: SimpleNamespace, admin: Membership, factor_of: Membership) -> None:
    """Create what an admin can: a custom field with a value, a guard, shared views, an invitation."""
    mark, by = objects.mark, lambda: act(admin)
    with in_workspace(admin.workspace):
        field = CustomField(entity="contact", key=f"{mark}_field", label=f"{mark} field", type="text")
        objects.field = save_custom_field(field, by=by())
        edit(rows(objects.contact), {f"{mark}_field": f"{mark} value"}, by=by())
        objects.pipeline = create_pipeline(f"{mark} pipeline", by=by())
        named = {"name": objects.pipeline.name, "stages": [StageRow(label=f"{mark} stage")]}
        save_pipeline(objects.pipeline, **named, by=by())
        objects.other_stage, objects.stage = stages("open", pipeline=objects.pipeline.key)
        guard = Guard(entity="contact", verb="win", condition="email is not empty", message=f"{mark} message")
        objects.guard = save_guard(guard, by=by())
        objects.view = save_view("contact", f"{mark} shared", by=by(), shared=True)
        objects.opportunity_view = save_view("opportunity", f"{mark} shared", by=by(), shared=True)
        if legacy_leads:
            legacy_leads.add_settings(objects, admin, by)
        objects.lead_view = save_view("lead", f"{mark} shared", by=by(), shared=True)
        rule = AssignmentRule(name=f"{mark} rule", condition=f"source = {mark}", people=[admin.pk])
        objects.rule = save_assignment_rule(rule, by=by())
        objects.workflow = make_workflow(admin, mark)
        objects.workflow_run = make_workflow_run(objects.workflow, objects.contact, mark)
        objects.campaign = make_campaign(admin, mark)
        objects.activity_view = save_view("activity", f"{mark} shared", by=by(), shared=True)
        objects.company_view = save_view("company", f"{mark} shared", by=by(), shared=True)
        provider = {"name": f"{mark} provider", "issuer": f"https://{mark}.example", "domains": [f"{mark}.example"]}
        objects.provider = save_identity_provider(is_on=False, client_id=f"{mark} client", **provider, by=by())
        invited = invite(f"{mark}@invited.example", role=Role.REP, team=objects.team, site="http://x", by=by())
        objects.invitation = invited.invitation
        objects.token = invited.link.rstrip("/").rsplit("/", 1)[1]
        objects.entry = last_entry(objects.contact)
        objects.delivery = make_delivery(mark, objects.contact)
        objects.contact.refresh_from_db()
    key = {"name": f"{mark} key", "credential": {}}
    objects.factor = Authenticator.objects.create(user=factor_of.user, type=Authenticator.Type.WEBAUTHN, data=key)


def make_workflow(admin: Membership, mark: str) -> Workflow:
    """Create a workflow with the mark in its texts and a manual trigger."""
    step = {"kind": "change_field", "field": "title", "value": f"{mark} value"}
    trigger, facts = {"kind": "manual", "entity": "contact"}, {"name": f"{mark} workflow", "owner": admin.pk}
    made = save_workflow(Workflow(), trigger=trigger, condition="", steps=[step], by=act(admin), **facts)
    switch_workflow(made, True, by=act(admin))
    return made


def make_workflow_run(workflow: Workflow, contact: Contact, mark: str) -> Run:
    """Create a failed run with the mark in its reason."""
    about = {"entity": "contact", "record_id": contact.pk, "key": "a key", "root": "a key", "started_at": clock.now()}
    about |= {"owner_id": workflow.owner_id, "status": "failed", "reason": f"{mark} reason"}
    return Run.objects.create(workflow=workflow, version=workflow.current, finished_at=clock.now(), **about)


def make_campaign(admin: Membership, mark: str) -> Campaign:
    """Create a draft with the mark in its texts, for all contacts."""
    texts = {"name": f"{mark} campaign", "subject": f"{mark} subject", "body": f"{mark} body", "segment": "all"}
    made = save_campaign(None, texts, by=act(admin))
    add_people(made, Contact.objects.all(), by=act(admin))
    return made


def make_company(member: Membership, mark: str, team: Team | None, **values) -> Company:
    values |= dict.fromkeys(COMPANY_TEXTS, f"{mark} company") | {"domain": f"{mark}.example", "team": team}
    made = create_company([values | {"external_id": f"{mark}-company"}], by=act(member))
    return Company.objects.get(pk=made.done[0])


def make_contact(member: Membership, mark: str, team: Team | None, company: Company) -> Contact:
    values = dict.fromkeys(CONTACT_TEXTS, f"{mark} text") | {"first_name": mark, "last_name": "Person"}
    values |= {"email": f"{mark}@person.example", "external_id": f"{mark}-person", "team": team, "company": company}
    return Contact.objects.get(pk=create([values], by=act(member)).done[0])


def make_opportunity(member: Membership, mark: str, team: Team | None, contact: Contact) -> Opportunity:
    """Create an opportunity of the contact with the mark in its texts."""
    values = dict.fromkeys(("name", "next_step", "source"), f"{mark} deal") | {"contact": contact, "team": team}
    values |= {"external_id": f"{mark}-deal", "amount": "48000", "close_date": "2026-12-24"}
    return Opportunity.objects.get(pk=open_opportunity([values], by=act(member)).done[0])


def make_lead(member: Membership, mark: str, contact: Contact) -> Lead:
    """Create the contact's open lead with the mark in its texts, ready to convert."""
    lead = Lead.objects.open().get(contact=contact)
    edit(rows(lead), dict.fromkeys(("source", "campaign", "description"), f"{mark} lead"), by=act(member))
    Lead.objects.filter(pk=lead.pk).update(status="qualified", stage="sales_qualified")
    lead.refresh_from_db()
    return lead


def make_activity(member: Membership, mark: str, kind: str, **about) -> Activity:
    values = {"kind": kind, "subject": f"{mark} {kind}", "body": f"{mark} body", **about}
    return Activity.objects.get(pk=log([values], by=act(member)).done[0])


def make_file(member: Membership, mark: str, record) -> Attachment:
    """Attach a picture with the mark in its texts."""
    with stored([SimpleUploadedFile(f"{mark}.png", picture().read())]) as files:
        made = attach(rows(record), files, by=act(member))
    file = Attachment.objects.filter(pk=made.done[0])
    edit_attachment(file, name=f"{mark}.png", description=f"{mark} description", by=act(member))
    return file.get()


def make_finding(member: Membership, mark: str, contact: Contact) -> Finding:
    """Create an exception on the contact."""
    about = {"kind": "contact_unowned", "entity": "contact", "record_id": contact.pk, "evidence": f"{mark} evidence"}
    return Finding.objects.create(owner=member, team_id=contact.team_id, since=clock.now(), **about)


def make_run(member: Membership, mark: str, entity: str = "contact") -> ImportRun:
    """Create an import with the mark in its name and in a rejected row."""
    file = people(mark)
    run = new_run(entity, file, file.name, by=act(member))
    run.save()
    return run_import(run, file, by=act(member))


def notified(member: Membership, contact: Contact) -> Notification:
    """Create a notification on the contact."""
    notify(
        ASSIGNED,
        [NewNotification(member.pk, "contact", contact.pk, "a key", clock.now())],
        by=system(member.workspace_id),
    )
    return Notification.objects.get(recipient=member, key="a key")


def people(mark: str) -> io.BytesIO:
    """Return an import file with one row, which is rejected."""
    file = io.BytesIO(f"name,email,domain\n{mark} Row,{mark},{mark}\n".encode())
    file.name = f"{mark}.csv"
    return file


def rows(record):
    return type(record).objects.filter(pk=record.pk)


def picture() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    file.seek(0)
    file.name = "picture.png"
    return file


def make_delivery(mark: str, contact: Contact) -> Delivery:
    """Create a dead delivery with the mark in its error."""
    about, now = {"entity": "contact", "entity_id": contact.pk}, timezone.now()
    event = Event.objects.create(name="contact.updated", change=uuid.uuid4(), at=now, recorded_at=now, **about)
    return Delivery.objects.create(event=event, handler="nobody", state="dead", last_error=f"{mark} error", **about)


def last_entry(contact: Contact):
    return Entry.objects.filter(person=contact.pk).latest("id")
