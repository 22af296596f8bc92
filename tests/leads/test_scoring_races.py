"""Concurrent events and recalculations: nothing is counted twice or lost. Only PostgreSQL reveals races."""

from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from django.db import transaction

from contacts.engagement import NewEngagement
from contacts.models import EngagementEvent
from contacts.verbs.engage import engage
from crm.kit import clock
from crm.kit.actor import Channel, system
from crm.kit.scope import in_workspace
from crm.opportunities.contacts import lock_contacts
from crm.records.verbs.edit import edit
from leads.models import Lead, Score, ScoringRun
from leads.scoring.runs import finish_scoring_run, open_run
from tests.contacts.test_races import wait_until_somebody_waits
from tests.factories import make_contact
from tests.threads import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
EVENTS = 12


def test_events_and_recalculations_at_once_add_up(cast):
    with in_workspace(cast.acme):
        contacts = [make_contact() for _ in range(3)]

    def tell(part: int) -> None:
        for n in range(EVENTS):
            at = clock.now() - timedelta(days=n, minutes=part)
            engage([NewEngagement(c.pk, "page_viewed", at) for c in contacts], by=cast.manager.actor(Channel.WEB))

    def recalculate() -> None:
        for _ in range(EVENTS):
            by = system(cast.acme.pk)
            finish_scoring_run(open_run(full=True, by=by), by=by)

    _, errors = at_once(cast.acme, [partial(tell, 0), partial(tell, 1), recalculate, recalculate])
    assert errors == []
    with in_workspace(cast.acme):
        assert EngagementEvent.objects.count() == 2 * 3 * EVENTS
        by = system(cast.acme.pk)
        finish_scoring_run(open_run(by=by), by=by)
        sums = dict(Score.objects.values_list("lead", "engagement_sum"))
        finish_scoring_run(open_run(full=True, by=by), by=by)
        assert dict(Score.objects.values_list("lead", "engagement_sum")) == pytest.approx(sums)
        assert Lead.objects.count() == len(sums) == 3
        assert not ScoringRun.objects.filter(finished_at__isnull=True).exists()


def test_an_edit_holds_the_contact_before_the_lead_as_a_conversion_does(cast):
    with in_workspace(cast.acme):
        contact, held = make_contact(), Event()
        leads = Lead.objects.filter(contact=contact)

        @transaction.atomic
        def like_a_conversion():
            lock_contacts([contact.pk])
            held.set()
            wait_until_somebody_waits()
            list(leads.select_for_update(nowait=True))  # no lock may be held by now

        def change() -> None:
            held.wait(10)
            edit(leads.all(), {"country": "DE"}, by=cast.manager.actor(Channel.WEB))

        _, errors = at_once(cast.acme, [like_a_conversion, change])
        assert (errors, leads.get().country) == ([], "DE")
