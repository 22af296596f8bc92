"""Imports hold workflows, and offer to release them."""

import io

import pytest

from contacts.models import Contact
from crm.events.models import Event
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.errors import Refused
from crm.lists.imports.running import new_run, run_import
from crm.workflows.jobs import keep_time
from crm.workflows.models import Release, Run
from crm.workflows.verbs.release_import import release_import
from tests.factories import make_contact
from tests.workflows.conftest import becomes, changes, set_field, task


@pytest.fixture
def imported(cast):
    """`imported("name,email\\nAna,…")` returns the run of an import by the admin."""

    def ran(text: str):
        by = cast.admin.actor(Channel.WEB)
        run = new_run("contact", io.BytesIO(text.encode()), "people.csv", by=by)
        run.save()
        return run_import(run, io.BytesIO(text.encode()), by=by)

    return ran


def test_nothing_runs_for_imported_rows_until_somebody_says_so(flow, engine, imported, sign_in, actor):
    flow(becomes("lead"), task(), condition="title = CEO")
    run = imported("name,email,title\nAna,a@x.example,CEO\nBo,b@x.example,CFO\n")
    assert engine() == []
    assert not Event.objects.filter(waiting=True).exists()
    page = sign_in("admin").get(run.get_absolute_url())
    assert "Workflows didn’t run on these imported records: Flow." in page.content.decode()
    assert "didn’t run on" not in sign_in("manager").get(run.get_absolute_url()).content.decode()
    sign_in("admin").post(f"/workflows/release/contact/{run.public_id}")
    keep_time(clock.now())
    keep_time(clock.now())
    (made,) = engine()
    assert (Contact.objects.get(pk=made.record_id).name, made.status) == ("Ana", "done")
    assert Release.objects.get().finished_at
    assert "1 run." in sign_in("admin").get(run.get_absolute_url()).content.decode()
    with pytest.raises(Refused):
        release_import(run.change, by=actor("admin"))


def test_a_row_with_the_same_value_is_no_change(flow, engine, imported, actor):
    make_contact("Ana", email="a@x.example", title="CEO")
    flow(changes("title"), set_field("notes", "x"))
    run = imported("email,title\na@x.example,CEO\n")
    release_import(run.change, by=actor("admin"))
    keep_time(clock.now())
    assert engine() == []


def test_an_import_that_no_workflow_looks_at_asks_nothing(flow, imported, sign_in):
    flow(becomes("customer"), task(), on=False)
    run = imported("name,email\nAna,a@x.example\n")
    assert "didn’t run on" not in sign_in("admin").get(run.get_absolute_url()).content.decode()
    assert not Run.objects.exists()
