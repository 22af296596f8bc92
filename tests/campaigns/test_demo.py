"""The demo campaign: some return, some unsubscribe, and no email is sent."""

from datetime import timedelta

import pytest
from django.core import mail

from crm.campaigns.demo import win_back
from crm.campaigns.models import Campaign
from crm.events.engine import drain
from crm.kit import clock
from leads.models import Lead
from leads.verbs.lose_leads import lose_leads as lose_lead
from tests.campaigns.test_campaigns import churned
from tests.factories import manager

pytestmark = pytest.mark.once


def test_some_come_back_and_nobody_is_mailed(acme, cast):
    with clock.at(clock.now() - timedelta(days=60)):
        for _ in range(6):
            churned()
        lose_lead(Lead.objects.all(), by=manager(), reason="x")
    mail.outbox.clear()
    win_back(cast.manager)
    sent, draft = Campaign.objects.order_by("pk")
    assert (sent.status, draft.status) == ("sent", "draft")
    assert sent.people.filter(sent_at__isnull=False).count() == 6
    assert sent.people.filter(state="unsubscribed").count() == 1
    assert Lead.objects.filter(campaign=sent.name).count() == 2
    drain()
    assert not [letter for letter in mail.outbox if letter.subject == sent.subject]


def test_a_workspace_in_which_nobody_churned_has_none_sent(acme, cast):
    win_back(cast.manager)
    assert Campaign.objects.get().status == "draft"
