"""Set-based scoring of leads: from events, from stored sums, and after new events.

Converted, lost and trashed leads are never rescored (DESIGN 1.2).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Value

from contacts.models import EngagementEvent
from crm.kit import compiled_queries, statistics
from crm.kit.scope import workspace_id
from crm.kit.sql import Statement, array_param, as_stored, execute, insert_statement, on_conflict_update
from leads.models import Lead, Score
from leads.scoring.current import Model, current
from leads.scoring.sql import Engagement, engagement_sql, stored_points, total

BATCH = 10_000


def stale(model: Model, at: datetime, *, later: bool = True) -> Q:
    """Return the condition for leads whose sum is missing, partial, another model's, or (`later`) newer than `at`."""
    lacking = Q(score__isnull=True) | ~Q(score__model=model.pk) | Q(score__partial=True)
    return lacking | Q(score__scored_at__gt=at) if later else lacking


def recompute(ids: Sequence[int], at: datetime) -> int:
    """Score open leads from their fields and events up to `at`. Return the number of changed scores.

    Scores are locked before events are read: a concurrently stored event waits and is then added.
    """
    changed = 0
    for start in range(0, len(ids), BATCH):
        changed += _recompute(ids[start : start + BATCH], at)
    return changed


def _recompute(ids: Sequence[int], at: datetime) -> int:
    scores = Score.objects.filter(lead__pk__any_of=ids).order_by("lead").values_list("lead", "score_tenths")
    before = dict(scores.select_for_update(of=("self",)))
    score(ids, at)
    return sum(before.get(lead) != tenths for lead, tenths in scores.iterator())


def score(ids: Sequence[int], at: datetime) -> None:
    """Score open leads like recompute(); existing scores must be locked or new in this transaction.

    The statement is compiled once per model, unless its criteria depend on the time.
    """
    model = current()
    values = {"sought": array_param(ids), "at": at, "factor": model.factor(at)}

    def build(given: Mapping[str, Any]) -> list[Statement]:
        leads = Lead.objects.open().filter(pk__any_of=given["sought"])
        return [_scoring(model, leads, given["at"], given["factor"])]

    if "" in model.rules.reads:
        written = execute(build(values | {"sought": ids}))
    else:
        written = compiled_queries.execute_cached(("score", model), build, values)
    statistics.analyze_if_grown(Score, written)


def _scoring(model: Model, leads: QuerySet[Lead], at: Any, factor: Any) -> Statement:
    summed = leads.annotate(total=total(model, at), fits=model.rules.fit_expression(at))
    summed = summed.annotate(engages=Engagement(F("total"), factor))
    tenths = F("fits") * model.rules.fit_weight + F("engages") * model.rules.engagement_weight
    later = EngagementEvent.objects.filter(contact=OuterRef("contact"), occurred_at__gt=at)
    columns = {
        "workspace_id": workspace_id(),
        "lead_id": F("pk"),
        "model_id": model.pk,
        "engagement_sum": F("total"),
        "fit": F("fits"),
        "engagement": F("engages"),
        "score_tenths": tenths,
        "scored_at": at,
        "partial": Exists(later),
    }
    return on_conflict_update(
        insert_statement(Score, summed, columns), Score, columns, over="lead_id", when="scored_at"
    )


def refit(ids: Sequence[int], at: datetime) -> int:
    """Rescore open leads after field changes: fit from fields, engagement from stored sums."""
    model = current()
    leads = Lead.objects.open().filter(pk__any_of=ids)
    unsure = set(leads.filter(stale(model, at)).values_list("pk", flat=True))
    changed = recompute(sorted(unsure), at) if unsure else 0
    fits = leads.annotate(fits=model.rules.fit_expression(at)).values_list("fits", "pk")
    by_fit: dict[int, list[int]] = {}
    for fit, pk in fits.exclude(score__fit=F("fits")).order_by("pk"):
        by_fit.setdefault(fit, []).append(pk)
    for fit, pks in by_fit.items():
        engages = Engagement(F("engagement_sum"), model.factor(at))
        score = Value(fit * model.rules.fit_weight) + engages * model.rules.engagement_weight
        rows = Score.objects.filter(lead__pk__any_of=pks)
        changed += rows.update(fit=fit, engagement=engages, score_tenths=score, scored_at=at)
    return changed


def decay(first: int, last: int, at: datetime) -> int:
    """Update the scores of open leads with ids in (first, last] to `at`, from their sums; write only changes.

    One statement that reads leads only to check that they are open. Fit is unchanged.
    """
    model = current()
    engages = Engagement(F("engagement_sum"), model.factor(at))
    held = Score.objects.filter(lead__gt=first, lead__lte=last, model=model.pk, partial=False, scored_at__lte=at)
    # Looked up per changed score, usually few; a join would read every lead.
    status = Subquery(Lead.objects.open().filter(pk=OuterRef("lead")).values("status"))
    rows = held.exclude(engagement=engages).alias(status=status).filter(status__isnull=False)
    score = F("fit") * model.rules.fit_weight + engages * model.rules.engagement_weight
    return rows.update(engagement=engages, score_tenths=score, scored_at=at)


def add(events: QuerySet[EngagementEvent], at: datetime) -> None:
    """Add newly stored events, of any time, to the sums of the open leads that count them."""
    model = current()
    added = _add(model, events, at)
    if len(added) < events.order_by().values("contact").distinct().count():
        # For contacts without an open lead or with an unusable sum: checked only now, because it reads all leads again.
        theirs = Lead.objects.open().filter(contact__in=events.order_by().values("contact"))
        if unsure := set(theirs.values_list("pk", flat=True)) - added:
            recompute(sorted(unsure), at)


_ADD = """
    UPDATE leads_score SET engagement_sum = {total}, engagement = {engagement},
        score_tenths = fit * %s + {engagement} * %s, scored_at = %s
    FROM ({sums}) new JOIN ({leads}) theirs ON theirs.contact_id = new.contact_id
    WHERE leads_score.lead_id = theirs.id AND leads_score.workspace_id = %s
        AND leads_score.model_id = %s AND NOT leads_score.partial AND leads_score.scored_at <= %s
        AND new.latest <= %s AND (theirs.counts_from IS NULL OR theirs.counts_from <= new.earliest)
    RETURNING lead_id
"""


def _add(model: Model, events: QuerySet[EngagementEvent], at: datetime) -> set[int]:
    """Add to leads' sums. Return the leads whose sum was usable (see stale()) and that count all events.

    Events may be after `at`, from a clock ahead of ours.
    """
    sums = events.order_by().values("contact_id").annotate(earliest=Min("occurred_at"), latest=Max("occurred_at"))
    summed = sums.annotate(delta=stored_points(model)).query.sql_with_params()
    leads = Lead.objects.open().values("id", "contact_id", "counts_from").order_by().query.sql_with_params()
    held = "(leads_score.engagement_sum + new.delta)"
    engaged, factor = engagement_sql(connection.vendor, held), model.factor(at)
    weights = (factor, model.rules.fit_weight, factor, model.rules.engagement_weight)
    statement = _ADD.format(total=held, engagement=engaged, sums=summed[0], leads=leads[0])
    moment = as_stored(at)
    params = [*weights, moment, *summed[1], *leads[1], workspace_id(), model.pk, moment, moment]
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {lead for (lead,) in cursor.fetchall()}
