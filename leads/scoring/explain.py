"""Explanation of a lead's score at its instant: components, forecast, and ways to raise it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import NamedTuple

from django.db.models import F

from contacts.engagement import KINDS
from contacts.models import EngagementEvent
from crm.kit import formats
from crm.kit.translation import gettext as _
from leads.models import Lead, Score
from leads.scoring.current import Model, ready
from leads.scoring.rules import MOST_ENGAGEMENT, MOST_FIT
from leads.scoring.sql import Growth, points

SHOWN = 50  # events; older ones are summarized
AHEAD = 60  # days
MOST_OFTEN = 10  # most events of one kind worth suggesting


def engagement(total: float) -> int:
    """Return the engagement score of decayed points: floor(round(x, 6) + 0.5), clamped to 0–100."""
    return max(0, min(MOST_ENGAGEMENT, int(max(0.0, round(total, 6)) + 0.5)))


class Criterion(NamedTuple):
    """A criterion of a lead: the matching case ('' for none), its points, and the maximum."""

    label: str
    case: str
    points: int
    most: int


class Event(NamedTuple):
    """An event with its original points and its points at the score's instant."""

    label: str
    at: datetime
    given: int
    points: float


class Way(NamedTuple):
    """A way to Sales Qualified, and the resulting score in tenths."""

    what: str
    tenths: int

    @property
    def points(self) -> float:
        return self.tenths / 10


@dataclass(frozen=True)
class Explanation:
    """A score's components. `older`: the number of unlisted events, `older_points` their sum."""

    score: Score
    model: Model
    criteria: Sequence[Criterion]
    events: Sequence[Event]
    older: int
    older_points: float
    total: float
    fit: int
    engagement: int

    @property
    def tenths(self) -> int:
        return self.model.rules.tenths(self.fit, self.engagement)

    @property
    def adds_up(self) -> bool:
        """Whether the components match the stored score; not if the lead was changed after closing."""
        return self.tenths == self.score.score_tenths

    @property
    def target(self) -> int:
        """The Sales Qualified threshold, in tenths."""
        return self.model.rules.thresholds[1]

    def ahead(self) -> list[int]:
        """Return the score on each of the next days without new events, in tenths, from the instant itself."""
        rules, half_life = self.model.rules, self.model.half_life
        sums = (self.total * 2.0 ** -(day * 86400 / half_life) for day in range(AHEAD + 1))
        return [rules.tenths(self.fit, engagement(total)) for total in sums]

    @property
    def most(self) -> int:
        """The lead's highest reachable score: current fit, maximum engagement."""
        return self.model.rules.tenths(self.fit, MOST_ENGAGEMENT)

    def ways(self) -> list[Way]:
        """Return the shortest ways to Sales Qualified: additional events, fewest first; [] if reached."""
        if self.tenths >= self.target:
            return []
        return [*self._by_events(), *self._by_fit()][:6]

    def _by_events(self) -> list[Way]:
        rules = self.model.rules
        if not rules.engagement_weight:
            return []
        needed = max(0, ceil((self.target - self.fit * rules.fit_weight) / rules.engagement_weight))
        if needed > MOST_ENGAGEMENT:
            return []
        found = []
        for kind, given in rules.engagement.items():
            times = ceil(round(needed - 0.5 - self.total, 6) / given) if given > 0 else MOST_OFTEN + 1
            if 1 <= times <= MOST_OFTEN:
                way = Way(_repeated(kind, times), rules.tenths(self.fit, engagement(self.total + times * given)))
                found.append((times, -given, way))
        return [way for *_, way in sorted(found)]

    def _by_fit(self) -> list[Way]:
        """Return criteria whose best case would suffice, or make it possible at all."""
        rules, found = self.model.rules, []
        for criterion, here in zip(rules.fit, self.criteria, strict=True):
            for case in criterion.cases:
                fit = min(MOST_FIT, self.fit + case.points - here.points)
                tenths = rules.tenths(fit, self.engagement)
                if case.points > here.points and tenths >= self.target:
                    found.append((case.points, Way(f"{criterion.label}: {case.when.sentence}", tenths)))
        return [way for _, way in sorted(found)]


def _repeated(kind: str, times: int) -> str:
    label = KINDS[kind].label
    return label if times == 1 else _("{count} × {event}").format(count=formats.number(times), event=label)


def explain(lead: Lead) -> Explanation | None:
    """Explain a lead's stored score; None without one."""
    score = Score.objects.select_related("model").filter(lead=lead).first()
    if score is None:
        return None
    model = ready(score.model)
    criteria = _criteria(lead, model, score.scored_at)
    fit = max(0, min(MOST_FIT, sum(criterion.points for criterion in criteria)))
    events = _events(lead, model, score.scored_at)
    listed, rest = events[:SHOWN], events[SHOWN:]
    total = sum(event.points for event in events)
    older = sum(event.points for event in rest)
    return Explanation(score, model, criteria, listed, len(rest), older, total, fit, engagement(total))


def _criteria(lead: Lead, model: Model, at: datetime) -> list[Criterion]:
    columns = [criterion.place(at) for criterion in model.rules.fit]
    places = Lead.objects.filter(pk=lead.pk).values_list("pk", *columns).get()[1:]
    return [
        Criterion(c.label, "" if p < 0 else c.cases[p].when.sentence, 0 if p < 0 else c.cases[p].points, c.most)
        for c, p in zip(model.rules.fit, places, strict=True)
    ]


def _events(lead: Lead, model: Model, at: datetime) -> list[Event]:
    """Return events newest first, with their share of the stored sum at `at`."""
    since = {"occurred_at__gte": lead.counts_from} if lead.counts_from else {}
    rows = EngagementEvent.objects.filter(contact=lead.contact_id, occurred_at__lte=at, **since)
    grown = points(model) * Growth(F("occurred_at"), model.epoch, model.half_life)
    found = rows.annotate(grown=grown).order_by("-occurred_at", "-pk").values_list("kind", "occurred_at", "grown")
    factor, given = model.factor(at), model.rules.engagement
    return [
        Event(KINDS[kind].label if kind in KINDS else kind, when, given.get(kind, 0), grown * factor)
        for kind, when, grown in found
    ]
