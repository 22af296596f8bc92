"""Effects of other scoring rules on current leads and on closed ones, without writing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, CharField, DateTimeField, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest, Least

from crm.kit import clock
from leads.axes import BY_SCORE
from leads.models import Lead
from leads.scoring.current import Model
from leads.scoring.explain import engagement
from leads.scoring.rules import Rules
from leads.scoring.sql import Engagement, total

CLASSES, WIDTH = 20, 5  # of the histogram, and their width in points
LISTED = 50
ENDED = 5000  # latest closed leads used for separation
FEWEST = 10  # minimum of won and of lost leads


class StageMoveCount(NamedTuple):
    """The number of leads moving from one stage to another."""

    old: str
    new: str
    leads: int


class Mover(NamedTuple):
    """A lead that would change stage; scores in points."""

    lead: Lead
    old: float
    new: float
    to: str


@dataclass(frozen=True)
class Comparison:
    """Open leads' current and projected scores."""

    leads: int
    moved: Sequence[StageMoveCount]
    movers: Sequence[Mover]
    old: Sequence[int]
    new: Sequence[int]


@dataclass(frozen=True)
class Separation:
    """How well final scores separate won from lost leads.

    `auc`: how often a won lead scored higher than a lost one, 0.5 by chance. `lift`: the win rate of the top tenth by
    score, divided by the overall one. Both None if too few leads have closed.
    """

    won: int
    lost: int
    auc: float | None
    lift: float | None

    @property
    def percent(self) -> int:
        return round(100 * (self.auc or 0))


def trial(rules: Rules, half_life: int) -> Model:
    """Return a compiled model of unsaved rules."""
    return Model(0, 0, "", rules, half_life * 86400.0, clock.now())


def compare(model: Model) -> Comparison:
    """Compare the open leads' scores under `model` now with their current ones."""
    scored = _scored(model, Lead.objects.open().filter(score__isnull=False), clock.now())
    classes = {"old_class": _class(F("score__score_tenths")), "new_class": _class(F("would"))}
    grouped = scored.annotate(**classes).order_by().values_list("stage", "to", "old_class", "new_class")
    moved, old, new = Counter[tuple[str, str]](), [0] * CLASSES, [0] * CLASSES
    for stage, to, was, would in grouped.iterator():
        old[was] += 1
        new[would] += 1
        moved[stage, to] += 1
    movers = [
        Mover(lead, lead.score.score_tenths / 10, lead.would / 10, lead.to)
        for lead in scored.exclude(stage=F("to")).select_related("contact", "score").order_by("-would", "pk")[:LISTED]
    ]
    found = [StageMoveCount(stage, to, count) for (stage, to), count in moved.items() if stage != to]
    return Comparison(sum(old), sorted(found, key=_by_stage), movers, old, new)


def _by_stage(moved: StageMoveCount) -> tuple[int, int]:
    return BY_SCORE.index(moved.old), BY_SCORE.index(moved.new)


def _scored(model: Model, leads: QuerySet[Lead], at: datetime) -> Any:
    """Annotate leads with `would`, their score in tenths, and `to`, their stage; manual floors hold."""
    rules = model.rules
    summed = leads.annotate(total=total(model, at), fits=rules.fit_expression(at))
    engages = Engagement(F("total"), model.factor(at))
    tenths = F("fits") * rules.fit_weight + engages * rules.engagement_weight
    reached = [
        When(Q(would__gte=least) | Q(floor_until__gt=at, floor_stage=stage), then=Value(stage))
        for stage, least in zip(reversed(BY_SCORE[1:]), reversed(rules.thresholds), strict=True)
    ]
    stage = Case(*reached, default=Value(BY_SCORE[0]), output_field=CharField())
    return summed.annotate(would=tenths).annotate(to=stage)


def _class(tenths) -> Least:
    whole = tenths / Value(WIDTH * 10, IntegerField())
    return Least(Greatest(whole, Value(0)), Value(CLASSES - 1), output_field=IntegerField())


def separation(model: Model) -> Separation:
    """Return `model`'s separation of won and lost leads, as of each lead's closing."""
    won = Q(status="converted", opportunity__stage_kind="won") | Q(won_date__isnull=False)
    lost = Q(status="lost") | Q(status="converted", opportunity__stage_kind="lost")
    ended = Lead.objects.live().filter(won | lost)
    closed = Coalesce("converted_date", "lost_date", output_field=DateTimeField())
    rows = ended.annotate(closed=closed).annotate(fits=model.rules.fit_expression(clock.now()))
    rows = rows.annotate(total=total(model, OuterRef("closed")), is_won=Case(When(won, then=1), default=0))
    found = rows.order_by("-closed", "-pk").values_list("total", "fits", "closed", "is_won")[:ENDED]
    scores = [
        (model.rules.tenths(fits, engagement(summed * model.factor(closed))), bool(is_won))
        for summed, fits, closed, is_won in found
    ]
    return measure(scores)


def measure(scores: Sequence[tuple[int, bool]]) -> Separation:
    """Return AUC and lift of (score, won) pairs; ties count half."""
    won = sum(is_won for _, is_won in scores)
    lost = len(scores) - won
    if min(won, lost) < FEWEST:
        return Separation(won, lost, None, None)
    of_lost = Counter(score for score, is_won in scores if not is_won)
    of_won = Counter(score for score, is_won in scores if is_won)
    below, pairs = 0, 0.0
    for score in sorted(of_lost.keys() | of_won.keys()):
        pairs += of_won[score] * (below + of_lost[score] / 2)
        below += of_lost[score]
    best = sorted(scores, key=lambda pair: pair[0], reverse=True)[: max(1, round(len(scores) / 10))]
    lift = (sum(is_won for _, is_won in best) / len(best)) / (won / len(scores))
    return Separation(won, lost, pairs / (won * lost), lift)
