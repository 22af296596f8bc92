"""A sales process of a company's own, that shares nothing with the shipped one, with 8,000 imported opportunities.

Seven stages of other names, a second pipeline and three fields, two of them required from a stage on. Every page that
counts the opportunities is compared with the file.
"""

import csv
import io
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from django.core.management import call_command
from django.db.models import Count, Sum
from django.http import QueryDict

from bench.measure import Ratio, seconds
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.dashboards.jobs import keep_forecasts
from crm.dashboards.models import Forecast
from crm.dashboards.parts.pipeline import pipeline as pipeline_card
from crm.dashboards.query import read_query
from crm.entities.models import CustomField
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.events.engine import drain
from crm.kit import clock
from crm.kit.actor import Actor, Role, system
from crm.kit.scope import in_workspace
from crm.opportunities import pipelines
from crm.opportunities.axes import STAGE
from crm.opportunities.board import BOARD, add_up
from crm.opportunities.models import Opportunity, Pipeline, PipelineStage
from crm.opportunities.moves import move_to
from crm.opportunities.verbs.create_pipeline import create_pipeline
from crm.opportunities.verbs.save_pipeline import StageRow, save_pipeline
from crm.users.models import Membership, User
from crm.users.verbs.create_workspace import create_workspace
from crm.workflows.models import Run, Workflow
from crm.workflows.verbs.save_workflow import save_workflow
from crm.workflows.verbs.switch_workflow import switch_workflow

COUNT = 8_000
# (label, outcome, percent): of the default pipeline, then of the second one, which shares two labels with it.
FLEET = (
    ("Requested", "open", 5),
    ("Site visit", "open", 20),
    ("Offer out", "open", 40),
    ("Legal & procurement", "open", 70),
    ("Verbal yes", "open", 90),
    ("Signed", "won", 100),
    ("Dropped", "lost", 0),
)
SERVICE = (("Due", "open", 60), ("Offer out", "open", 80), ("Renewed for a year", "won", 100), ("Dropped", "lost", 0))
HEADER = "external_id,name,company,pipeline,stage,amount,currency,created_at,won_at,lost_at,Vehicles,Tender no.,Risk"
took: dict[str, float] = {}


def ratios(size: int) -> Iterator[Ratio]:
    """Yield how many numbers of the pages differ from the file; none may."""
    workspace = create_workspace("own-process", by=system(0))[0]
    with in_workspace(workspace), tempfile.TemporaryDirectory() as directory:
        by = _admin(workspace.slug)
        set_up(by)
        file = Path(directory) / "deals.csv"
        file.write_text("\n".join([HEADER, *rows(COUNT)]), encoding="utf-8")
        took["import"] = seconds(lambda: _import(file))
        said = read(file)
        name = f"{COUNT:,} imported: counts and sums unlike the file"
        yield Ratio("P1", name, 0, lambda: _unlike(said, by), rounds=1)
        name = "a workflow’s runs missing after a move of a whole stage"
        yield Ratio("P2", name, 0, lambda: _missing(by), rounds=1)


def figures() -> Iterator[str]:
    """Yield the seconds of each part."""
    yield from (f"{what:28} {took[what]:8.2f} s" for what in took)


def _admin(slug: str) -> Actor:
    user = User.objects.create_user(f"admin@{slug}.example", name="Admin")
    return Membership.objects.create(user=user, role=Role.ADMIN).actor("web")


def set_up(by: Actor) -> None:
    """Make the pipelines and fields of FLEET and SERVICE."""
    sales = pipelines.default_pipeline()
    service = create_pipeline("Service contracts", by=by)
    for pipeline, name, wanted in ((sales, "Fleet sales", FLEET), (service, "Service contracts", SERVICE)):
        save_pipeline(pipeline, name=name, stages=list(_stage_rows(pipeline, wanted)), by=by)
    from_offer, from_signed = [_key("Offer out"), _key("Offer out", service.key)], [_key("Signed")]
    fields = (
        ("vehicles", "number", "Vehicles", from_offer),
        ("tender", "text", "Tender no.", from_signed),
        ("risk", "select", "Risk", []),
    )
    for key, kind, label, required_from in fields:
        field = CustomField(entity="opportunity", key=key, type=kind, label=label, required_from=required_from)
        field.choices = [{"value": each.lower(), "label": each} for each in ("Low", "High")] if key == "risk" else []
        save_custom_field(field, by=by)


def _stage_rows(pipeline: Pipeline, wanted: Iterable[tuple[str, str, int]]) -> Iterator[StageRow]:
    """Yield the stages as wanted, renaming those that the pipeline has of each outcome."""
    there = defaultdict(list)
    for stage in PipelineStage.objects.filter(pipeline=pipeline.key):
        there[stage.kind].append(stage.key)
    for label, kind, percent in wanted:
        key = there[kind].pop(0) if there[kind] else ""
        yield StageRow(label=label, key=key, kind=kind, probability=Decimal(percent) / 100, tone="blue")


def _key(label: str, pipeline: str = "sales") -> str:
    return PipelineStage.objects.get(pipeline=pipeline, label=label).key


def rows(count: int) -> Iterator[str]:
    """Yield that many rows of a file, over all stages of both pipelines, in two currencies."""
    places = [("Fleet sales", *stage) for stage in FLEET] + [("Service contracts", *stage) for stage in SERVICE]
    for n in range(count):
        pipeline, stage, kind, _percent = places[n * 7 % len(places)]
        closed = f"2026-{n % 9 + 1:02d}-{n % 28 + 1:02d}"
        won, lost = (closed if kind == outcome else "" for outcome in ("won", "lost"))
        yield (
            f"F-{n},Deal {n},Company {n % 400},{pipeline},{stage},{n * 37 % 90_000}.{n % 100:02d},"
            f"{'EUR' if n % 5 else 'USD'},2025-{n % 12 + 1:02d}-01,{won},{lost},{n % 300 + 1},T-{n},"
            f"{'High' if n % 3 else 'Low'}"
        )


def _import(file: Path) -> None:
    """Run the command like a user; a rejected row ends it, and the benchmark, with an exit status."""
    call_command("import_opportunities", str(file), workspace="own-process", stdout=io.StringIO())


Sums = dict[tuple[str, str, str], tuple[int, Decimal]]  # (pipeline, stage, currency): number and amount


def read(file: Path) -> Sums:
    """Return the file's numbers by the names in it."""
    counts, amounts = Counter[tuple](), defaultdict[tuple, Decimal](Decimal)
    for row in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))):
        key = row["pipeline"], row["stage"], row["currency"]
        counts[key] += 1
        amounts[key] += Decimal(row["amount"])
    return {key: (counts[key], amounts[key]) for key in counts}


def _unlike(said: Sums, by: Actor) -> float:
    """Return how many sums of rows, conditions, board, dashboard card or forecast differ from the file's."""
    closed = {label for label, kind, _percent in (*FLEET, *SERVICE) if kind != "open"}
    open_ones = {key: value for key, value in said.items() if key[1] not in closed}
    views = (_rows, _conditions, _board, lambda: _card(by), _forecast)
    unlike = 0
    for name, view in zip(("rows", "conditions", "board", "dashboard card", "forecast"), views, strict=True):
        started = time.perf_counter()
        found, expected = view(), open_ones if name in ("dashboard card", "forecast") else said
        took[name] = time.perf_counter() - started
        unlike += sum(found.get(key) != expected.get(key) for key in found.keys() | expected.keys())
    return unlike


def _named(groups: Iterable[tuple[str, str, int, Decimal | None]]) -> Sums:
    """Return numbers by stage key and currency as the file names them."""
    found = {}
    for key, currency, count, amount in groups:
        stage = pipelines.stage(key)
        pipeline = pipelines.process().pipelines[stage.pipeline]
        found[pipeline.name, stage.label, currency] = count, amount or Decimal(0)
    return found


def _rows() -> Sums:
    groups = Opportunity.objects.order_by().values_list("stage", "currency")
    return _named(groups.annotate(Count("pk"), Sum("amount")))


def _conditions() -> Sums:
    """Ask for each stage and currency as a list does."""
    found = []
    for stage in pipelines.stages():
        for currency in ("EUR", "USD"):
            text = f'{STAGE.condition(stage.key)} and currency = "{currency}"'
            condition = parse(text, "opportunity").expression(Viewer(None, None), clock.now())
            asked = Opportunity.objects.filter(condition).aggregate(count=Count("pk"), amount=Sum("amount"))
            found.append((stage.key, currency, asked["count"], asked["amount"]))
    return _named(found)


def _board() -> Sums:
    found = []
    for currency in ("EUR", "USD"):
        columns = BOARD.columns()
        add_up(Opportunity.objects.filter(currency=currency), STAGE, columns)
        found += [(key, currency, each.count, each.totals[0].amount) for key, each in columns.items() if each.totals]
    return _named(found)


def _card(by: Actor) -> Sums:
    found = {}
    for table in pipeline_card(read_query(QueryDict(), by)).tables:
        for row in table.rows if table.name.startswith("stages") else ():
            count, amount, _weighted = row.cells
            currency = "USD" if "$" in amount.text else "EUR"
            found[str(table.title), str(row.label.text), currency] = count.value, amount.value
    return found


def _forecast() -> Sums:
    Forecast.objects.all().delete()
    keep_forecasts(clock.now())
    return _named(Forecast.objects.order_by().values_list("stage", "currency").annotate(Sum("count"), Sum("amount")))


def _missing(by: Actor) -> float:
    """Move all of one stage to another that a workflow waits for; return how many of its runs are missing."""
    to = _key("Legal & procurement")
    trigger = {"kind": "transition", "entity": "opportunity", "to": f"stage={to}"}
    steps = [{"kind": "change_field", "field": "next_step", "value": "Send the contract"}]
    facts = {"trigger": trigger, "condition": "", "steps": steps}
    name = f"Contract {Workflow.objects.count()}"
    made = save_workflow(Workflow(), name=name, owner=by.member_id, by=by, **facts)
    switch_workflow(made, True, by=by)
    moved = move_to(Opportunity.objects.filter(stage=_key("Site visit")), to=to, by=by)
    took[f"workflow, {len(moved.done)} runs"] = seconds(drain)
    done = Run.objects.filter(workflow=made, status=Run.Status.DONE).count()
    return len(moved.done) - done + len(moved.refused)
