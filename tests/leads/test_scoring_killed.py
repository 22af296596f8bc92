"""DESIGN 1.3: a killed and resumed run gives the same tables as an uninterrupted one."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection

from contacts.engagement import NewEngagement
from contacts.verbs.create import create
from contacts.verbs.engage import engage
from crm.kit import clock
from crm.kit.actor import system
from leads.models import Lead, Score, ScoringRun
from leads.scoring.runs import finish_scoring_run, open_run
from tests.factories import manager
from tests.kit.commands import ROOT

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LEADS = 60
WRITTEN = ("engagement_sum", "fit", "engagement", "score_tenths", "scored_at", "partial")
KILLED = """
import os, signal, sys, django
django.setup()
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.users.models import Workspace
from leads.scoring import runs
runs.BATCH = dict.fromkeys(runs.BATCH, 6)
with in_workspace(Workspace.objects.get(slug="acme")):
    by = system(Workspace.objects.get(slug="acme").pk)
    restage, calls = runs.restage, []
    def counted(leads, *, by):
        calls.append(1)
        if len(calls) == 5:  # of ten batches, four are done and the fifth is scored but not moved
            os.kill(os.getpid(), signal.SIGKILL)
        return restage(leads, by=by)
    runs.restage = counted
    runs.finish_scoring_run(runs.ScoringRun.objects.get(finished_at__isnull=True), by=by)
"""


def tables():
    scores = Score.objects.order_by("lead").values_list("lead", "model", *WRITTEN)
    return list(scores), list(Lead.objects.order_by("pk").values_list("pk", "stage", "status"))


def fill():
    with clock.at(NOW):
        made = create([{"name": f"Person {n}"} for n in range(LEADS)], by=manager()).done
        told = [
            NewEngagement(pk, kind, NOW - timedelta(hours=n))
            for n, pk in enumerate(made)
            for kind in ("demo_request", "meeting_booked", "email_reply", "call_connected")
        ]
        engage(told, by=manager())


@pytest.mark.django_db(transaction=True)
def test_a_killed_run_ends_where_a_clean_one_does(acme, monkeypatch, tmp_path):
    fill()
    at, by = NOW + timedelta(days=40), system(acme.pk)
    before = tables()
    run = open_run(at=at, by=by)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=ROOT, env=environment(), capture_output=True, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    stopped = ScoringRun.objects.get(pk=run.pk)
    assert stopped.finished_at is None and stopped.cursor < stopped.scored < Lead.objects.latest("pk").pk
    assert tables() != before
    with clock.at(at + timedelta(days=9)):  # the run's instant, not the resuming process's
        resumed = finish_scoring_run(open_run(by=by), by=by)
    again = tables()
    assert (resumed.pk, resumed.leads, resumed.changed, resumed.down) == (run.pk, LEADS, LEADS, LEADS)
    put_back(before)
    clean = finish_scoring_run(open_run(at=at, by=by), by=by)
    assert tables() == again
    assert (clean.leads, clean.changed, clean.up, clean.down) == (LEADS, LEADS, 0, LEADS)


def put_back(before):
    scores, leads = before
    for lead, _, total, fit, engagement, tenths, scored_at, partial in scores:
        Score.objects.filter(lead=lead).update(
            engagement_sum=total,
            fit=fit,
            engagement=engagement,
            score_tenths=tenths,
            scored_at=scored_at,
            partial=partial,
        )
    for pk, stage, status in leads:
        Lead.objects.filter(pk=pk).update(stage=stage, status=status)


def environment() -> dict[str, str]:
    """Return this process's environment, on the tests' database."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "postgresql":
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()  # a socket is in the query
    else:
        url = f"sqlite:///{name}"
    return os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
