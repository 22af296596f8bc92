"""DESIGN 3, import_events: contact, kind, occurred_at; each stored once, and leads scored."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from audit.undo.undo import undo
from contacts.models import Contact, EngagementEvent
from crm.kit.actor import system
from crm.lifecycle.models import Transition
from crm.lists.models import ImportRun
from crm.records.verbs.edit import edit
from leads.models import Lead
from tests.factories import make_contact, manager
from tests.leads import naive

HEADER = "external_id,email,kind,occurred_at"


@pytest.fixture
def imported(acme, tmp_path):
    """`imported(lines)` imports a file and returns exit status and report."""

    def run(*lines: str, **options) -> tuple[int, dict]:
        file, out, status = tmp_path / "events.csv", io.StringIO(), 0
        file.write_text("\n".join(lines))
        try:
            call_command("import_events", str(file), workspace="acme", json=True, stdout=out, **options)
        except SystemExit as error:
            status = error.code
        return status, json.loads(out.getvalue().splitlines()[-1])

    return run


def test_events_come_in_once_and_leads_are_scored(imported, acme):
    ana, bo = make_contact(external_id="7"), make_contact(email="bo@x.example")
    edit(Lead.objects.filter(contact=ana), {"fleet_size": 300, "country": "DE"}, by=manager())
    lines = [HEADER, "7,,demo_request,2026-11-01T10:00:00Z", "7,,Meeting booked,2026-11-02 10:00"]
    lines += [",BO@x.example,page_viewed,2026-11-03 00:00", "7,,demo_request,2026-11-01T10:00:00Z"]
    nothing = {"updated": 0, "refused": 0, "errors": []}
    assert imported(*lines) == (0, {"rows": 4, "created": 3, "unchanged": 1} | nothing)
    score = Lead.objects.get(contact=ana).score
    events = [(e.kind, e.occurred_at) for e in EngagementEvent.objects.filter(contact=ana)]
    assert score.score_tenths == naive.tenths(300, "DE", events, score.scored_at)
    assert Contact.objects.get(pk=bo.pk).last_engagement == datetime(2026, 11, 3, tzinfo=UTC)
    assert imported(*lines) == (0, {"rows": 4, "created": 0, "unchanged": 4} | nothing)


def test_a_lead_is_moved_once_after_its_last_row(imported, acme):
    ana = make_contact(external_id="7")
    edit(Lead.objects.filter(contact=ana), {"fleet_size": 300, "country": "DE"}, by=manager())
    now = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M")  # none in the future
    lines = [f"7,,content_download,{now}:{n:02}Z" for n in range(9)] * 4
    lines += [f"7,,email_opened,{now}:{n:02}Z" for n in range(9)]
    imported(HEADER, *lines)
    moves = Transition.objects.filter(entity="lead", axis="stage", from_value="top_of_funnel")
    assert [move.to_value for move in moves] == ["sales_qualified"]


def test_rows_that_make_no_sense_are_named_and_the_others_come_in(imported, acme):
    make_contact(external_id="7")
    make_contact(email="bo@x.example")
    lines = [
        HEADER,
        "8,,demo_request,2026-01-01 10:00",
        "7,,demo,2026-01-01 10:00",
        "7,,demo_request,soon",
        "7,,demo_request,2126-01-01 10:00",
        "7,bo@x.example,demo_request,2026-01-01 10:00",
        "7,,,2026-01-01 10:00",
        ",,demo_request,2026-01-01 10:00",
        "7,,demo_request,2026-01-01 10:00",
    ]
    status, report = imported(*lines)
    assert (status, report["created"], report["refused"]) == (1, 1, 7)
    assert [error["row"] for error in report["errors"]] == [2, 3, 4, 5, 6, 7, 8]
    said = " ".join(error["message"] for error in report["errors"])
    assert "No contact matches “8”" in said and "is in the future" in said and "two different contacts" in said


def test_a_file_that_does_not_say_whose_is_refused(imported, acme):
    status, report = imported("kind,occurred_at", "demo_request,2026-01-01")
    assert (status, report["errors"][0]["row"]) == (1, 1)
    assert "external_id or email" in report["errors"][0]["message"]


def test_a_trial_changes_nothing(imported, acme):
    make_contact(external_id="7")
    assert imported(HEADER, "7,,demo_request,2026-01-01 10:00", dry_run=True)[1]["created"] == 1
    assert not EngagementEvent.objects.exists()


def test_an_import_of_events_is_taken_back(imported, acme):
    make_contact(external_id="7")
    imported(HEADER, f"7,,demo_request,{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    assert Lead.objects.get().score.engagement == 40
    undo(ImportRun.objects.get().change, by=system(acme.pk))
    assert Lead.objects.get().score.engagement == 0
    assert (EngagementEvent.objects.count(), Contact.objects.get().last_engagement) == (0, None)
