"""Why a lead has the score it has, as of the instant of that score; what becomes of it, and what would raise it."""

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

SHOWN = 50  # events; the older ones are told in one line
AHEAD = 60  # days
MOST_OFTEN = 10  # of one kind of event that is worth proposing


def engagement(total: float) -> int:
    """The engagement score of points as they stand at an instant: floor(round(x, 6) + 0.5), kept in 0–100."""
    return max(0, min(MOST_ENGAGEMENT, int(max(0.0, round(total, 6)) + 0.5)))


class Criterion(NamedTuple):
    """What one thing gives a lead: the case that holds ('' for none), its points, and the most it could give."""

    label: str
    case: str
    points: int
    most: int


class Event(NamedTuple):
    """An event with its points as they were given, and as they stand at the instant of the score."""

    label: str
    at: datetime
    given: int
    points: float


class Way(NamedTuple):
    """Something that would lead to Sales Qualified, and the score that it would lead to, in tenths."""

    what: str
    tenths: int

    @property
    def points(self) -> float:
        return self.tenths / 10


@dataclass(frozen=True)
class Explanation:
    """A score, taken apart. `older`: how many events are not listed, `older_points` what they add up to."""

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
        """False where the lead was changed after it was closed: its score stays as it was."""
        return self.tenths == self.score.score_tenths

    @property
    def target(self) -> int:
        """From which score on a lead is Sales Qualified, in tenths."""
        return self.model.rules.thresholds[1]

    def ahead(self) -> list[int]:
        """The score on each of the next days if nothing happens, in tenths; the first is that of the instant itself."""
        rules, half_life = self.model.rules, self.model.half_life
        sums = (self.total * 2.0 ** -(day * 86400 / half_life) for day in range(AHEAD + 1))
        return [rules.tenths(self.fit, engagement(total)) for total in sums]

    @property
    def most(self) -> int:
        """The highest score that this lead can reach as it is: how well it fits, and all the engagement there is."""
        return self.model.rules.tenths(self.fit, MOST_ENGAGEMENT)

    def ways(self) -> list[Way]:
        """The shortest ways to Sales Qualified: one more of something, the fewest first; none when it is there."""
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
        """A criterion at its best, where that alone would do or makes it possible at all."""
        rules, found = self.model.rules, []
        for criterion, here in zip(rules.fit, self.criteria, strict=True):
            for case in criterion.cases:
                fit = min(MOST_FIT, self.fit + case.points - here.points)
                tenths = rules.tenths(fit, self.engagement)
                if case.points > here.points and tenths >= self.target:
                    found.append((case.points, Way(f"{criterion.label}: {case.when.label_text}", tenths)))
        return [way for _, way in sorted(found)]


def _repeated(kind: str, times: int) -> str:
    label = KINDS[kind].label
    return label if times == 1 else _("{count} × {event}").format(count=formats.number(times), event=label)


def explain(lead: Lead) -> Explanation | None:
    """The explanation of a lead's stored score; None for one that has none."""
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
        Criterion(c.label, "" if p < 0 else c.cases[p].when.label_text, 0 if p < 0 else c.cases[p].points, c.most)
        for c, p in zip(model.rules.fit, places, strict=True)
    ]


def _events(lead: Lead, model: Model, at: datetime) -> list[Event]:
    """Newest first. What each adds to the stored sum, as it stands at `at`."""
    since = {"occurred_at__gte": lead.counts_from} if lead.counts_from else {}
    rows = EngagementEvent.objects.filter(contact=lead.contact_id, occurred_at__lte=at, **since)
    grown = points(model) * Growth(F("occurred_at"), model.epoch, model.half_life)
    found = rows.annotate(grown=grown).order_by("-occurred_at", "-pk").values_list("kind", "occurred_at", "grown")
    factor, given = model.factor(at), model.rules.engagement
    return [
        Event(KINDS[kind].label if kind in KINDS else kind, when, given.get(kind, 0), grown * factor)
        for kind, when, grown in found
    ]
