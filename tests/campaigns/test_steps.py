"""Workflow steps for campaigns."""

import pytest
from django.core import mail

from contacts.verbs.churn import churn
from contacts.verbs.win import win
from crm.campaigns.models import Campaign, CampaignPerson
from crm.events.engine import drain
from crm.workflows.models import Run
from crm.workflows.shipped import SHIPPED
from tests.factories import make_contact, rows
from tests.workflows.conftest import becomes, make_flow

pytestmark = pytest.mark.once


def test_source_002_s_win_back(acme, actor, cast):
    win_back = SHIPPED["win_back"]
    flow = make_flow(actor("admin"), win_back.trigger, *win_back.steps, name="Win-back")
    churn(rows(make_contact("Ana Ruiz", stage="customer")), by=actor("manager"), reason="Price").or_raise()
    drain()
    made = Campaign.objects.get()
    assert (made.name, made.type, made.segment) == ("Win-back: Ana Ruiz", "email", "churned-customers")
    assert (made.status, made.owner_id) == ("draft", cast.admin.pk)
    (step,) = Run.objects.get(workflow=flow).steps.all()
    assert step.decided == "Created draft campaign “Win-back: Ana Ruiz”"


def test_a_contact_is_added_and_gets_the_mail_when_it_is_sent(acme, actor, campaign):
    made = campaign(segment="")
    step = {"kind": "add_to_campaign", "campaign": made.public_id}
    make_flow(actor("admin"), becomes("customer"), step)
    ana = make_contact("Ana", stage="qualified", marketing_consent="Given")
    win(rows(ana), by=actor("manager")).or_raise()
    drain()
    assert CampaignPerson.objects.get().contact == ana
    assert Run.objects.get().steps.get().decided == "Added to campaign “Spring”"
    assert not mail.outbox


def test_a_step_of_somebody_who_may_not_is_refused(acme, actor, cast):
    steps = [{"kind": "campaign", "name": "For {name}", "type": "email", "segment": "all"}]
    make_flow(actor("admin"), becomes("customer"), *steps, owner=cast.rep)
    win(rows(make_contact(stage="qualified", owner=cast.rep)), by=actor("manager")).or_raise()
    drain()
    run = Run.objects.get()
    assert (run.status, run.reason) == ("refused", "Only managers and admins can create and send campaigns.")


def test_a_campaign_that_is_over_takes_nobody_in(acme, actor, campaign):
    made = campaign()
    make_flow(actor("admin"), becomes("customer"), {"kind": "add_to_campaign", "campaign": made.public_id})
    Campaign.objects.update(status="cancelled")
    win(rows(make_contact(stage="qualified")), by=actor("manager")).or_raise()
    drain()
    assert "is over" in Run.objects.get().reason
