"""Undo of a large change: many short transactions with the same result as one, despite interruptions."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from audit.undo.undo import undo
from contacts.models import Company, Contact
from crm.kit.errors import NotAllowed, Refused
from crm.lists import undo_runs
from crm.lists.jobs import continue_undos
from crm.lists.models import ImportRun, UndoRun
from crm.lists.undo_runs import begin, finish, start, summary
from crm.records.verbs.edit import edit
from leads.models import Lead
from tests.contacts.files import import_csv
from tests.factories import make_contact, rows

SIZE = 12
HEADER = "External ID,Name,E-mail,Company,Stage,Manager"


def team(size=SIZE):
    """Create people who each report to the previous one, three per company."""
    lines = [f"x-{n},P{n},p{n}@x.example,Firm {n // 3},Qualified,{f'x-{n - 1}' if n else ''}" for n in range(size)]
    return "\n".join([HEADER, *lines])


@pytest.fixture
def small(monkeypatch):
    """Make every undo a run of three contacts per transaction."""
    engine = connection.vendor
    monkeypatch.setattr(undo_runs, "AT_ONCE", {engine: 0})
    monkeypatch.setattr(undo_runs, "BATCH", {engine: 3})
    monkeypatch.setattr(undo_runs.courtesy.Pace, "batch", lambda self: undo_runs.courtesy.batch())


@pytest.fixture
def imported(acme, actor, small):
    """Import a file of new people and one existing."""
    make_contact("Old", external_id="x-5", email="p5@x.example", stage="lead")
    return import_csv(team(), by=actor("manager"))


def stop_after(monkeypatch, batches):
    """Let that many batches commit, then interrupt the next before its commit."""
    take, left = undo_runs._Step.take.__wrapped__, [batches]

    def interrupted(self, size):
        more = take(self, size)
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return more

    monkeypatch.setattr(undo_runs._Step, "take", undo_runs.transaction.atomic(interrupted))


def test_a_run_undoes_people_who_report_to_each_other(imported, actor):
    run = begin(imported.change, by=actor("manager"))
    assert run.total == len(undo_runs._Groups(imported.change)._all)  # one counts in SQL, the other in Python
    run = finish(run)
    assert list(Contact.objects.values_list("name", "lifecycle_stage", "company", "manager")) == [
        ("Old", "lead", None, None)
    ]
    assert not Company.objects.exists()
    assert (run.done, run.percent, list(summary(run))) == (run.total, 100, [])
    assert ImportRun.objects.get().undone_at


@pytest.mark.parametrize("batches", [0, 1, 3, 6])
def test_an_interrupted_run_is_continued_where_it_stopped(batches, imported, actor, monkeypatch):
    by = actor("manager")
    with monkeypatch.context() as patched:
        stop_after(patched, batches)
        with pytest.raises(KeyboardInterrupt):
            finish(begin(imported.change, by=by))
    run = UndoRun.objects.get()
    assert run.done == min(3 * batches, run.total)
    assert begin(imported.change, by=actor("manager")) == run
    UndoRun.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    continue_undos(timezone.now())
    run.refresh_from_db()
    assert run.finished_at and not run.kept.exists()
    assert Contact.objects.get().name == "Old"
    reverted = run.reverted
    finish(run)
    run.refresh_from_db()
    assert run.reverted == reverted


def test_a_run_that_lives_is_left_alone(imported, actor):
    begin(imported.change, by=actor("manager"))
    continue_undos(timezone.now())
    assert UndoRun.objects.get().done == 0


def test_what_was_touched_since_is_kept_with_whom_it_reports_to(imported, actor):
    touched = Contact.objects.filter(external_id="x-7")
    edit(touched, {"title": "CFO"}, by=actor("manager"))
    run = finish(begin(imported.change, by=actor("manager")))
    names = set(Contact.objects.values_list("name", flat=True))
    assert {"Old", "P7", "P6"} <= names and not names & {"P8", "P9", "P10", "P11"}
    assert Lead.objects.filter(contact__external_id="x-7").exists()
    assert dict(summary(run))["The record has changed since then."] == 1
    with pytest.raises(Refused):
        undo(uuid.uuid4(), by=actor("manager"))


def test_a_small_undo_is_immediate_and_a_large_one_a_run_that_starts_once(acme, actor, monkeypatch):
    one = make_contact(title="CEO")
    by = actor("manager")
    edit(rows(one), {"title": "CFO"}, by=by)
    assert start(by.change, by=actor("manager")).reverted == 1
    by = actor("manager")
    edit(rows(one, make_contact()), {"title": "CTO"}, by=by)
    monkeypatch.setattr(undo_runs, "AT_ONCE", {connection.vendor: 1})
    run = start(by.change, by=actor("manager"))
    assert (run.total, run.done) == (2, 0)
    assert start(by.change, by=actor("manager")) == run
    with pytest.raises(NotAllowed):
        start(by.change, by=actor("rep"))


def test_the_button_leads_to_a_page_that_shows_progress_and_what_was_kept(imported, sign_in, actor):
    client = sign_in("manager")
    touched = Contact.objects.get(external_id="x-7")
    edit(rows(touched), {"title": "CFO"}, by=actor("manager"))
    page = client.post(f"/undo/{imported.change}", follow=True)
    assert page.redirect_chain == [(f"/undo/{imported.change}/progress", 302)]
    assert "The undo is running." in page.content.decode()
    assert f'<a href="{imported.get_absolute_url()}">{imported.file_name}</a>' in page.content.decode()
    assert "This import is being undone." in client.get(imported.get_absolute_url()).content.decode()
    finish(UndoRun.objects.get())
    text = client.get(f"/undo/{imported.change}/progress").content.decode()
    assert "Undo finished." in text and touched.get_absolute_url() in text
    assert "The record has changed since then." in text
