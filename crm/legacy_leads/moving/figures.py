"""Figures of a migration: leads and money before and after, which must balance."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from crm.kit import formats
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.legacy_leads.models import LegacyLead, MigrationRun
from crm.legacy_leads.moving.plan import PlannedLead

Outcome = LegacyLead.Outcome
OUTCOMES = tuple(str(value) for value in Outcome.values)
COUNTS = ("leads", *OUTCOMES, "opportunities")
AMOUNTS = ("amount_in", "amount_opportunities", "amount_listed")
CENT = Decimal("0.01")

Money = dict[str, Decimal]  # by currency


def _nothing() -> dict[str, Money]:
    return {name: defaultdict(Decimal) for name in AMOUNTS}


@dataclass
class Figures:
    """Leads by result, and money: before, in opportunities, and elsewhere with reasons."""

    counts: Counter[str] = field(default_factory=Counter)
    amounts: dict[str, Money] = field(default_factory=_nothing)

    def add(self, steps: Iterable[PlannedLead]) -> None:
        for step in steps:
            self.counts.update(["leads", str(step.outcome), *["opportunities"] * step.opportunity])
            value, currency = step.lead.estimated_value, step.lead.currency
            if value and not step.settled:
                kind = "amount_opportunities" if step.opportunity else "amount_listed"
                self.amounts["amount_in"][currency] += value
                self.amounts[kind][currency] += value

    def report(self) -> dict[str, Any]:
        """Return the figures for --json and for storage: amounts as text with two decimals."""
        money = {name: {c: f"{v:.2f}" for c, v in sorted(self.amounts[name].items())} for name in AMOUNTS}
        return {name: self.counts[name] for name in COUNTS} | money

    @property
    def moves(self) -> int:
        return self.counts[Outcome.CREATED] + self.counts[Outcome.REUSED]


def of_run(run: MigrationRun) -> Figures:
    figures = Figures(Counter({name: getattr(run, name) for name in COUNTS}))
    for name in AMOUNTS:
        figures.amounts[name].update({c: Decimal(v) for c, v in getattr(run, name).items()})
    return figures


def reconcile(run: MigrationRun) -> None:
    """Raise Refused unless a run's figures balance and match the table's sums."""
    told, found = of_run(run), _read_back(run)
    leads = sum(told.counts[name] for name in OUTCOMES)
    if told.counts["leads"] != leads:
        sentence = _("{leads} leads went in, but {found} came out. Nothing was committed.")
        counts = {"leads": formats.number(told.counts["leads"]), "found": formats.number(leads)}
        raise Refused(sentence.format(**counts))
    for currency, amount in told.amounts["amount_in"].items():
        out = sum((told.amounts[name].get(currency, Decimal()) for name in AMOUNTS[1:]), Decimal())
        if amount != out:
            sentence = _("{amount} went in, but {found} came out. Nothing was committed.")
            amounts = {"amount": formats.money(amount, currency), "found": formats.money(out, currency)}
            raise Refused(sentence.format(**amounts))
    for name, value in found.report().items():
        if value != told.report()[name]:
            sentence = _("{figure} was counted as {counted}, but the table has {found}. Nothing was committed.")
            raise Refused(sentence.format(figure=name, counted=told.report()[name], found=value))


def _read_back(run: MigrationRun) -> Figures:
    rows = LegacyLead.objects.filter(run=run).order_by()
    figures = Figures(Counter(dict(rows.values_list("outcome").annotate(Count("pk")))))
    carried = rows.filter(became_opportunity__isnull=False, outcome__in=(Outcome.CREATED, Outcome.REUSED))
    settled = rows.filter(outcome=Outcome.LEFT, became_contact__isnull=False, archived_at__isnull=False)
    figures.counts |= Counter({"leads": LegacyLead.objects.count(), "opportunities": carried.count()})
    figures.amounts["amount_in"] = _sums(LegacyLead.objects.exclude(pk__in=settled.values("pk")))
    figures.amounts["amount_opportunities"] = _sums(carried)
    figures.amounts["amount_listed"] = _sums(rows.exclude(value_note=""))
    return figures


def _sums(rows: QuerySet[LegacyLead]) -> Money:
    found = rows.order_by().values_list("currency").annotate(Sum("estimated_value"))
    # SQLite adds as floating point.
    return {currency: Decimal(total).quantize(CENT) for currency, total in found if total}
