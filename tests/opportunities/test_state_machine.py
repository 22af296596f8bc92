"""R17: whatever is done to pipelines and opportunities, or undone: pages, conditions and rows say the same."""

from collections import Counter
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.http import QueryDict
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audit.models import Entry
from audit.undo.undo import undo
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.dashboards.jobs import keep_forecasts
from crm.dashboards.models import Forecast
from crm.dashboards.parts.pipeline import pipeline as pipeline_card
from crm.dashboards.query import read_query
from crm.entities import schema
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.errors import DomainError
from crm.kit.scope import workspace
from crm.lifecycle.models import Transition
from crm.opportunities import pipelines
from crm.opportunities.axes import STAGE
from crm.opportunities.board import BOARD, add_up
from crm.opportunities.models import Opportunity, Pipeline, PipelineStage
from crm.opportunities.moves import move_to
from crm.opportunities.verbs.archive_pipeline import archive_pipeline
from crm.opportunities.verbs.archive_stage import archive_stage
from crm.opportunities.verbs.change_pipeline import change_pipeline
from crm.opportunities.verbs.create import create
from crm.opportunities.verbs.create_pipeline import create_pipeline
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.reopen import reopen
from crm.opportunities.verbs.restore_pipeline import restore_pipeline
from crm.opportunities.verbs.restore_stage import restore_stage
from crm.opportunities.verbs.save_pipeline import StageRow, save_pipeline
from crm.opportunities.verbs.win import win
from crm.records.verbs.delete import delete
from crm.records.verbs.restore import restore
from tests.budget import examples
from tests.dashboards.test_reconciliation import Lists
from tests.factories import make_contact
from tests.replay import replay, snapshot

KINDS = ("open", "won", "lost")
COUNTED = {"version", "updated_at"}

who = st.sampled_from(["manager", "manager", "rep"])
place = st.integers(0, 7)
places = st.lists(place, min_size=1, max_size=3)
# Names that conditions could misread, that several pipelines share, and those of templates.
name = st.sampled_from(["Sales", "Renewals", "Won", "Proposal", "not open", "a, b", "50%", "me", "Über & Co", "today"])
kind = st.sampled_from(["open", "open", "open", "won", "lost"])
percent = st.integers(0, 100)
amount = st.sampled_from([None, "0", "100", "12345.67"])
currency = st.sampled_from(["EUR", "EUR", "USD"])


class Pipelines(RuleBasedStateMachine):
    """Every rule is one user action; refusals are valid if they write nothing."""

    cast: SimpleNamespace

    @initialize(template=st.sampled_from(["renewals", "partnerships", ""]))
    def begin(self, template):
        self.changes, self.before = [], {}
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.load()
        self.contacts = [make_contact(name) for name in ("Ana", "Bo")]
        self.started = snapshot()
        self.last = Entry.objects.order_by("id").last().pk
        self.act("admin", lambda by: create_pipeline("Second", template=template, by=by))
        for n in range(3):
            self.create("manager", n % 2, 3 * n, "100", "EUR")

    def teardown(self):
        try:
            self.the_log_tells_the_present()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def load(self):
        """Read the workspace again as each request does; a rollback reuses keys, which caches don't expect."""
        workspace().refresh_from_db()
        pipelines._process.cache_clear()
        schema._schemas.clear()

    def act(self, name, run):
        """Run one action; return whether it was done."""
        by = getattr(self.cast, name).actor(Channel.WEB)
        self.load()
        before = self.stands()
        try:
            with transaction.atomic():
                run(by)
                connection.check_constraints()
        except DomainError:
            assert not Entry.objects.filter(change=by.change).exists()
            assert not Transition.objects.filter(change=by.change).exists()
            self.load()
            return False
        self.changes.append(by.change)
        self.before[by.change] = before
        return True

    def stands(self):
        """Return what an undo gives back: the opportunities, and the stages in use."""
        columns = [field.name for field in Opportunity._meta.concrete_fields if field.name not in COUNTED]
        rows = {row.pk: {name: getattr(row, name) for name in columns} for row in Opportunity.objects.all()}
        for row in rows.values():
            del row["contact"], row["company"], row["owner"], row["team"]
        in_use = {row.key: (row.archived_at, row.is_for_converted) for row in PipelineStage.objects.all()}
        return rows, in_use

    def pipeline(self, chosen):
        found = list(Pipeline.objects.order_by("pk"))
        return found[chosen % len(found)]

    def stage(self, chosen, *kinds):
        found = PipelineStage.objects.filter(kind__in=kinds or KINDS).order_by("pk")
        return found[chosen % len(found)]

    def some(self, chosen, **likely):
        rows = Opportunity.objects.order_by("pk").values_list("pk", flat=True)
        ids = list(rows.filter(**likely)) or list(rows)
        return Opportunity.objects.filter(pk__in={ids[-1 - n % len(ids)] for n in chosen} if ids else [])

    def shown(self, pipeline):
        """Return the rows of the settings form of a pipeline."""
        names = ("key", "label", "kind", "probability", "tone", "is_for_converted", "expected_days")
        found = PipelineStage.objects.filter(pipeline=pipeline.key, archived_at__isnull=True)
        return [StageRow(**{name: getattr(stage, name) for name in names}) for stage in found]

    @rule(name=name, template=st.sampled_from(["", *pipelines.TEMPLATES]))
    def create_pipeline(self, name, template):
        self.act("admin", lambda by: create_pipeline(name, template=template, by=by))

    @rule(chosen=place, name=name, default=st.booleans(), new=st.lists(st.tuples(name, kind, percent), max_size=2))
    def save_pipeline(self, chosen, name, default, new):
        pipeline = self.pipeline(chosen)
        rows = [*self.shown(pipeline), *(StageRow(label=a, kind=b, probability=Decimal(c) / 100) for a, b, c in new)]
        self.act("admin", lambda by: save_pipeline(pipeline, name=name, stages=rows, make_default=default, by=by))

    @rule(chosen=place, label=name, percent=percent, order=st.randoms(use_true_random=False), at=place)
    def rename_and_reorder(self, chosen, label, percent, order, at):
        pipeline = self.pipeline(chosen)
        rows = self.shown(pipeline)
        changed = {"label": label, "probability": Decimal(percent) / 100, "is_for_converted": at % 2 == 0}
        changed["expected_days"] = percent or None
        rows[at % len(rows)] = StageRow(**{**vars(rows[at % len(rows)]), **changed})
        order.shuffle(rows)
        self.act("admin", lambda by: save_pipeline(pipeline, name=pipeline.name, stages=rows, by=by))

    @rule(chosen=place, to=place)
    def archive_stage(self, chosen, to):
        stage = self.stage(chosen)
        others = PipelineStage.objects.filter(pipeline=stage.pipeline, kind=stage.kind).exclude(pk=stage.pk)
        target = others[to % len(others)].key if others else stage.key
        self.act("admin", lambda by: archive_stage(stage, to=target, by=by))

    @rule(chosen=place)
    def restore_stage(self, chosen):
        stage = PipelineStage.objects.exclude(archived_at=None).order_by("pk").first() or self.stage(chosen)
        self.act("admin", lambda by: restore_stage(stage, by=by))

    @rule(chosen=place)
    def archive_pipeline(self, chosen):
        self.act("admin", lambda by: archive_pipeline(self.pipeline(chosen), by=by))

    @rule(chosen=place)
    def empty_and_archive_pipeline(self, chosen):
        pipeline = self.pipeline(chosen)
        self.act("manager", lambda by: win(Opportunity.objects.filter(pipeline=pipeline.key), by=by))
        self.act("admin", lambda by: archive_pipeline(pipeline, by=by))

    @rule(chosen=place)
    def restore_pipeline(self, chosen):
        pipeline = Pipeline.objects.exclude(archived_at=None).order_by("pk").first() or self.pipeline(chosen)
        self.act("admin", lambda by: restore_pipeline(pipeline, by=by))

    @rule(who=who, contact=st.integers(0, 1), stage=place, amount=amount, currency=currency)
    def create(self, who, contact, stage, amount, currency):
        facts = {"name": "Deal", "contact": self.contacts[contact].pk, "amount": amount, "currency": currency}
        to = self.stage(stage, "open").key
        self.act(who, lambda by: create([facts], by=by, stage=to))

    @rule(who=who, chosen=places, to=place)
    def move(self, who, chosen, to):
        rows = self.some(chosen, stage_kind="open")
        here = rows.first()
        within = {"pipeline": here.pipeline} if here else {}
        found = list(PipelineStage.objects.filter(**within).order_by("pk"))
        self.act(who, lambda by: move_to(rows, to=found[to % len(found)].key, by=by, reason="because"))

    @rule(who=who, chosen=places, verb=st.sampled_from([win, lose]))
    def close(self, who, chosen, verb):
        rows = self.some(chosen, stage_kind="open")
        self.act(who, lambda by: verb(rows, by=by, reason="because"))

    @rule(chosen=places)
    def reopen(self, chosen):
        rows = self.some(chosen, stage_kind__in=["won", "lost"])
        self.act("manager", lambda by: reopen(rows, by=by, reason="because"))

    @rule(who=who, chosen=places, to=place)
    def change_pipeline(self, who, chosen, to):
        rows = self.some(chosen, stage_kind="open")
        self.act(who, lambda by: change_pipeline(rows, to=self.stage(to, "open").key, by=by))

    @rule(who=who, chosen=places)
    def delete(self, who, chosen):
        self.act(who, lambda by: delete(self.some(chosen), by=by, reason="because"))

    @rule(who=who, chosen=places)
    def restore(self, who, chosen):
        self.act(who, lambda by: restore(self.some(chosen, deleted_at__isnull=False), by=by))

    @rule(who=who, place=st.integers(0, 30))
    def undo(self, who, place):
        change = self.changes[-1 - place % len(self.changes)]
        self.act(who, lambda by: undo(change, by=by))

    @rule()
    def undo_the_last(self):
        """Nothing has happened since: all of it is as before."""
        change, kept = self.changes[-1], []
        if self.act("manager", lambda by: kept.extend(undo(change, by=by).kept)):
            kept = [each for each in kept if each.entity not in ("pipeline", "pipeline_stage")]
            assert (kept, self.stands()) == ([], self.before[change])

    @invariant()
    def a_stage_is_in_its_pipeline_and_says_the_outcome(self):
        stages = {row.key: (row.pipeline, row.kind) for row in PipelineStage.objects.all()}
        for row in Opportunity.objects.all():
            assert (row.pipeline, row.stage_kind) == stages[row.stage]
            assert (bool(row.won_at), bool(row.lost_at)) == (row.stage_kind == "won", row.stage_kind == "lost")

    @invariant()
    def every_pipeline_has_stages_of_each_outcome(self):
        for pipeline in Pipeline.objects.all():
            rows = PipelineStage.objects.filter(pipeline=pipeline.key, archived_at__isnull=True)
            assert set(rows.values_list("kind", flat=True)) == set(KINDS)
        assert Pipeline.objects.get(is_default=True).archived_at is None

    @invariant()
    def an_open_opportunity_is_in_a_stage_in_use(self):
        self.load()
        in_use = {stage.key for stage in pipelines.stages("open")}
        assert set(Opportunity.objects.open().values_list("stage", flat=True)) <= in_use

    @invariant()
    def transitions_form_a_chain_that_ends_where_the_record_stands(self):
        chains: dict[int, list[tuple[str, str]]] = {}
        for row in Transition.objects.filter(entity="opportunity", undone_by__isnull=True).order_by("id"):
            chains.setdefault(row.record_id, []).append((row.from_value, row.to_value))
        stands = dict(Opportunity.objects.values_list("pk", "stage"))
        assert {pk: chain[-1][1] for pk, chain in chains.items()} == stands
        for chain in chains.values():
            assert [step[0] for step in chain] == ["", *(step[1] for step in chain[:-1])]

    @invariant()
    def conditions_count_the_rows(self):
        """A label or name in a condition, and the outcome; against plain SQL."""
        facts = Opportunity.objects.live().order_by()
        stages, of = dict(facts.values_list("stage").annotate(Count("pk"))), pipelines.process().pipelines
        in_use = pipelines.stages()
        for choice in STAGE.values:
            assert self.count(STAGE.condition(choice.value)) == stages.get(choice.value, 0), choice
            same = [each for each in in_use if pipelines.label_of(each).casefold() == choice.label.casefold()]
            assert self.count(f'stage = "{choice.label}"') == sum(stages.get(each.key, 0) for each in same)
        for key, count in Counter(facts.values_list("pipeline", flat=True)).items():
            if of[key].archived_at is None:
                assert self.count(f'pipeline = "{pipelines.name_of(of[key])}"') == count
        for kind in KINDS:
            assert self.count(f"stage.kind = {kind}") == facts.filter(stage_kind=kind).count()

    @invariant()
    def board_and_list_and_card_say_the_same(self):
        lists, by = Lists(self.cast.manager.actor(Channel.WEB)), self.cast.manager.actor(Channel.WEB)
        stands = Opportunity.objects.open().order_by().values_list("stage", "currency").annotate(Count("pk"))
        stands = {(stage, currency): count for stage, currency, count in stands}
        columns = BOARD.columns()
        add_up(Opportunity.objects.live(), STAGE, columns)
        for stage, column in columns.items():
            assert column.count == Opportunity.objects.live().filter(stage=stage).count()
        tables = {table.name: table for table in pipeline_card(read_query(QueryDict(), by)).tables}
        rows = [row for name, table in tables.items() if name.startswith("stages") for row in table.rows]
        assert sorted(row.cells[0].value for row in rows) == sorted(stands.values())
        for row in rows:
            assert [cell.value for cell in row.cells[:2]] == [lists.number(cell) for cell in row.cells[:2]]
        if "all" in tables:
            assert sum(row.cells[0].value for row in tables["all"].rows) == sum(stands.values())

    @invariant()
    def the_forecast_is_that_of_the_rows(self):
        Forecast.objects.all().delete()
        keep_forecasts(clock.now())
        kept = Forecast.objects.order_by().values_list("stage", "currency").annotate(Sum("count"), Sum("amount"))
        rows = Opportunity.objects.open().order_by().values_list("stage", "currency")
        assert set(kept) == {(*key, n, total or 0) for *key, n, total in rows.annotate(Count("pk"), Sum("amount"))}

    def count(self, text):
        condition = parse(text, "opportunity").expression(Viewer(None, None), clock.now())
        return Opportunity.objects.live().filter(condition).count()

    def the_log_tells_the_present(self):
        assert replay(self.started, Entry.objects.filter(id__gt=self.last).order_by("id")) == snapshot()


@pytest.mark.django_db
def test_the_books_balance(acme, cast):
    machine = type("PipelinesOfTheCast", (Pipelines,), {"cast": cast})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples(8),
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate, Phase.shrink] if examples(1) > 1 else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
