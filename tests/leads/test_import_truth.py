"""Stages, leads, opportunities, funnel and lists agree for any order of imported history."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.http import QueryDict
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audit.undo.undo import undo
from contacts.models import Contact
from crm.dashboards.parts.funnel import funnel
from crm.dashboards.query import read_query
from crm.kit.actor import Channel, system
from crm.kit.scope import workspace
from crm.lists.imports.running import new_run, run_import
from crm.opportunities.models import Opportunity
from leads.models import Lead
from tests.budget import examples

PEOPLE = ("p0", "p1", "p2", "p3")
PAST = ("customer", "churned")
BEGIN = datetime(2023, 1, 1, tzinfo=UTC)
FIRST = "2022-12-31"

moments = st.integers(1, 1000).map(lambda days: BEGIN + timedelta(days=days))
stages = st.sampled_from(["", "lead", "qualified", "customer", "customer", "lost", "churned", "partner"])
deals = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["prospecting", "negotiation", "won", "won", "lost"]), moments),
    max_size=7,
)


def bring(entity, rows, reason="", **options):
    """Import rows (dicts with equal columns); return the run."""
    text = io.StringIO()
    written = csv.DictWriter(text, list(rows[0]))
    written.writeheader()
    written.writerows(rows)
    file, by = io.BytesIO(text.getvalue().encode()), system(workspace().pk, Channel.IMPORT)
    run = new_run(entity, file, f"{entity}.csv", by=by, override_reason=reason)
    run.save()
    return run_import(run, file, by=by, **options)


def person(name, stage, created):
    at = created.isoformat() if created else ""
    return {"external_id": name, "name": name, "stage": stage, "created_at": at}


def deal(number, contact, stage, at):
    closed = (at + timedelta(days=9)).isoformat()
    dates = {"won_at": closed if stage == "won" else "", "lost_at": closed if stage == "lost" else ""}
    return {
        "external_id": f"d{number}",
        "name": f"Deal {number}",
        "contact": contact,
        "stage": stage,
        "created_at": at.isoformat(),
        **dates,
    }


class Naive:
    """A person's true state, from all files."""

    def __init__(self, stage, deals):
        self.base, self.deals = stage or "lead", deals
        self.kinds = {kind if kind in ("won", "lost") else "open" for _, _, kind, _ in deals}

    @property
    def stage(self):
        if self.base not in ("lead", "qualified"):
            return self.base
        return "customer" if "won" in self.kinds else "lost" if self.kinds == {"lost"} else self.base

    @property
    def lead(self):
        """Status, and the number of its opportunity (None for none)."""
        if self.base == "partner":
            return None
        if self.base == "lost":
            return "lost", None
        first = self.first(("won",)) if self.base in PAST else self.first(("won", "open", "lost"))
        if self.base in PAST or self.kinds & {"won", "lost"}:
            return "converted", first
        return "new", None

    def first(self, kinds):
        for kind in kinds:
            own = [(at, number) for number, _, k, at in self.deals if (k if k in ("won", "lost") else "open") == kind]
            if own:
                return min(own)[1]
        return None

    @property
    def bought(self):
        return self.base in PAST or (self.base not in ("lost", "partner") and "won" in self.kinds)


def check(people, told, cast):
    """Compare everything that shows stages with the model."""
    naive = {
        name: Naive(stage, [(n, *each) for n, each in enumerate(told) if each[0] == name]) for name, stage, _ in people
    }
    assert dict(Contact.objects.values_list("external_id", "lifecycle_stage")) == {n: p.stage for n, p in naive.items()}
    leads = {
        lead.contact.external_id: (lead.status, lead.opportunity and int(lead.opportunity.external_id[1:]))
        for lead in Lead.objects.select_related("contact", "opportunity")
    }
    assert leads == {name: each.lead for name, each in naive.items() if each.lead}
    wanted = {f"d{n}": stage for n, (_, stage, _) in enumerate(told)}
    assert dict(Opportunity.objects.values_list("external_id", "stage")) == wanted
    asked = read_query(QueryDict(f"from={FIRST}"), cast.manager.actor("web"))
    steps = [row.cells[0].value for row in next(t for t in funnel(asked).tables if t.name == "steps").rows]
    of = [each for each in naive.values() if each.lead]
    converted, bought = sum(each.lead[0] == "converted" for each in of), sum(each.bought for each in of)
    assert steps == [len(of), converted, converted, bought]
    lists = Counter(p.stage for p in naive.values())
    assert {stage: asked.rows("contact", f"lifecycle_stage = {stage}").count() for stage in lists} == lists
    assert asked.rows("lead", "won_at is not empty").count() == bought
    assert asked.rows("opportunity", "stage = won").count() == sum(stage == "won" for _, stage, _ in told)
    open_deals = asked.rows("opportunity", "stage in (prospecting, negotiation)").count()
    assert open_deals == sum(stage not in ("won", "lost") for _, stage, _ in told)


@settings(max_examples=examples(12), deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_files_in_any_order_tell_one_truth(acme, cast, data):
    with transaction.atomic():
        people = [(name, data.draw(stages), data.draw(st.none() | moments)) for name in PEOPLE]
        told = data.draw(deals)
        rows = [deal(number, *each) for number, each in enumerate(told)]
        cut = data.draw(st.integers(0, len(rows)))
        order = data.draw(st.permutations(rows))
        files = [("contact", [person(*each) for each in people]), ("opportunity", order[:cut])]
        files = [file for file in (*files, ("opportunity", order[cut:])) if file[1]]
        for file in files:
            if data.draw(st.booleans()):
                undo(bring(*file).change, by=cast.admin.actor(Channel.WEB))
            bring(*file)
        check(people, told, cast)
        for file in data.draw(st.permutations(files)):
            again = bring(*file)
            assert (again.created, again.updated, again.refused, again.unchanged) == (0, 0, 0, again.rows)
            assert not [note for note in again.notes if "No stage column" not in note]
        check(people, told, cast)
        transaction.set_rollback(True)


@pytest.mark.parametrize(("before", "reason"), [("lead", "Moved in"), ("qualified", ""), ("qualified", "Moved in")])
def test_a_stage_that_a_later_file_tells_ends_the_lead_as_if_it_had_been_told_at_once(acme, cast, before, reason):
    """Ana became a customer on 9 March; one file has it at once, for Bo a second file does."""
    told = {"created_at": "2023-03-01", "lifecycle_stage_since": "2023-03-09"}
    early = told | {"lifecycle_stage_since": "2023-03-04"}
    bring("contact", [{"external_id": "ana", "name": "Ana", "stage": "customer"} | told])
    bring("contact", [{"external_id": "bo", "name": "Bo", "stage": before} | early])
    later = {"external_id": "bo", "name": "Bo", "stage": "customer"} | told
    assert bring("contact", [later], reason).updated == 1
    rows = Lead.objects.values_list("status", "won_date", "converted_date", "contact__lifecycle_stage_since")
    ana, bo = (rows.get(contact__external_id=name) for name in ("ana", "bo"))
    assert (ana, ana[0]) == (bo, "converted")
    again = bring("contact", [later], reason)
    assert (again.updated, again.unchanged) == (0, 1)
