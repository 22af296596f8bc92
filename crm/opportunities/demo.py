"""A demo pipeline, made through the verbs: customers' purchases, losses, and open opportunities.

Derived from the contacts' year: a customer's opportunity was won when they became one. A seller's actions of the same
ten days are one call.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import Actor, Channel, system
from crm.kit.translation import in_english
from crm.opportunities.models import Opportunity
from crm.opportunities.pipelines import RENEWALS, SALES
from crm.opportunities.pipelines import stages as stages_in_use
from crm.opportunities.verbs.create import create
from crm.opportunities.verbs.create_pipeline import create_pipeline
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.reopen import reopen
from crm.opportunities.verbs.win import win
from crm.users.models import Membership
from crm.users.visibility import RecordQuerySet

STAGES = [stage.key for stage in SALES.stages]
OPEN = STAGES[:4]
SLOT = timedelta(days=10)
RENEWED = 8
WON, LOST, IN_PROGRESS = 0.42, 0.26, 0.32  # shares of the total
PRODUCTS = ("tracking", "route planning", "driver app", "fuel cards", "maintenance", "telematics")  # not a text
NEXT = (
    "Send the revised proposal",  # not a text
    "Demo with the fleet manager",  # not a text
    "Share references of a similar size",  # not a text
    "Call the director about the budget",  # not a text
    "Prepare the pilot with ten vehicles",  # not a text
    "Contract is with their legal team",  # not a text
    "",
)
LOSSES = ("Chose a competitor", "No budget this year", "Price", "Project stopped", "Stopped responding")  # not a text
SOURCES = ("Referral", "Demo request", "Trade show", "Partner", "Upsell")  # not a text
Job = Callable[[RecordQuerySet, Actor], object]


class Pipeline:
    """The opportunities of one workspace: about `count`, identical on every machine."""

    def __init__(self, manager: Membership, *, count: int, seed: int):
        self.random = random.Random(seed)  # noqa: S311 (believable, not secret)
        self.manager, self.count = manager, count
        self.end = timezone.now().replace(microsecond=0) - timedelta(hours=1)
        self.owners = {member.pk: member for member in Membership.objects.select_related("user", "workspace")}
        self.opened: defaultdict[tuple[int, int], list[tuple[dict, Callable[[int], None]]]] = defaultdict(list)
        self.due: defaultdict[tuple[int, int, str], list[int]] = defaultdict(list)

    def write(self) -> None:
        """Create, move, win and lose them in order of time."""
        self._plan("customer", WON, self._won)
        self._plan("lost", LOST, self._lost)
        self._plan("qualified", IN_PROGRESS, self._open)
        for slot in range(self._slot(self.end) + 1):
            self._open_due(slot)
            self._move_due(slot)
        self._second_thoughts()
        self._renewals()

    def _plan(self, stage: str, share: float, fate: Callable[[Contact], None]) -> None:
        people = Contact.objects.live().filter(lifecycle_stage=stage, owner__isnull=False).select_related("company")
        chosen = list(people.order_by("pk"))
        for contact in self.random.sample(chosen, min(len(chosen), round(self.count * share))):
            fate(contact)

    def _won(self, contact: Contact) -> None:
        decided = contact.lifecycle_stage_since
        self._deal(contact, decided - self._days(20, 70), decided, "won")

    def _lost(self, contact: Contact) -> None:
        decided = contact.lifecycle_stage_since
        self._deal(contact, decided - self._days(10, 50), decided, "lost")

    def _open(self, contact: Contact) -> None:
        opened = max(contact.lifecycle_stage_since, self.end - self._days(15, 90))
        self._deal(contact, opened, self.end + self._days(-8, 75), self.random.choice(OPEN))

    def _deal(self, contact: Contact, opened: datetime, closes: datetime, to: str) -> None:
        """Plan an opportunity from creation over the stages to its end, at even intervals."""
        owner, until = contact.owner_id or 0, min(closes, self.end)
        last = OPEN.index(to) if to in OPEN else self.random.randrange(1, len(OPEN))
        path = [*OPEN[1 : last + 1], *([to] if to not in OPEN else [])]
        pace = (until - opened) / (len(path) + 1)

        def plan(pk: int) -> None:
            for index, stage in enumerate(path, 1):
                at = until if stage == to and to not in OPEN else opened + pace * index
                self.due[self._slot(at), owner, stage].append(pk)

        self.opened[self._slot(opened), owner].append((self._facts(contact, closes, to in OPEN), plan))

    def _facts(self, contact: Contact, closes: datetime, is_open: bool) -> dict:
        vans = contact.company.employees if contact.company and contact.company.employees else 8
        product = self.random.choice(PRODUCTS)
        name = f"{contact.company or contact}, {product}"
        amount = Decimal(self.random.randrange(8, 24) * vans * 10 + self.random.choice((0, 250, 490)))
        facts = {
            "name": name,
            "contact": contact.pk,
            "close_date": closes.date(),
            "source": self.random.choice(SOURCES),
        }
        facts |= {"next_step": self.random.choice(NEXT) if is_open else ""}
        # Some have no amount yet, and a few are in dollars.
        return facts | ({"amount": amount} if self.random.random() < 0.94 else {}) | self._currency()

    def _currency(self) -> dict:
        return {"currency": "USD"} if self.random.random() < 0.06 else {}

    def _days(self, least: int, most: int) -> timedelta:
        return timedelta(days=self.random.randrange(least, most), minutes=self.random.randrange(600))

    def _slot(self, at: datetime) -> int:
        """Return the index of a ten-day period; the first includes all earlier times."""
        return max(0, 37 - int((self.end - at) / SLOT))

    def _at(self, slot: int, hours: int) -> datetime:
        return min(self.end, self.end - SLOT * (37 - slot) + timedelta(hours=hours))

    def _open_due(self, slot: int) -> None:
        for (when, owner), deals in list(self.opened.items()):
            if when == slot:
                with clock.at(self._at(slot, 2)):
                    made = create([facts for facts, _ in deals], by=self.owners[owner].actor(Channel.WEB))
                for pk, (_, plan) in zip(made.done, deals, strict=True):
                    plan(pk)

    def _move_due(self, slot: int) -> None:
        ready = [(stage, owner, pks) for (when, owner, stage), pks in self.due.items() if when == slot]
        for stage, owner, pks in sorted(ready, key=lambda job: STAGES.index(job[0])):
            hours = 10 * (1 + STAGES.index(stage))
            with clock.at(self._at(slot, hours)):
                self._move(stage, Opportunity.objects.filter(pk__in=pks), self.owners[owner].actor(Channel.WEB))

    def _move(self, stage: str, rows: RecordQuerySet, by: Actor) -> None:
        if stage == "won":
            win(rows, by=by)
        elif stage == "lost":
            lose(rows, by=by, reason=self.random.choice(LOSSES))
        else:
            move_stage(rows, to=stage, by=by)

    def _second_thoughts(self) -> None:
        lost = Opportunity.objects.filter(stage_kind="lost").order_by("-lost_at", "pk")[:1]
        rows = Opportunity.objects.filter(pk__in=list(lost.values_list("pk", flat=True)))
        with clock.at(self.end):
            by = self.manager.actor(Channel.WEB)
            reopen(rows, by=by, reason="Asked for a new proposal", to="proposal")  # not a text

    def _renewals(self) -> None:
        """Give the workspace a second pipeline: the next renewals of a few customers, the first of them won."""
        sold = Opportunity.objects.filter(stage_kind="won", amount__isnull=False).select_related("company", "contact")
        with clock.at(self.end):
            admin = system(self.manager.workspace_id)
            pipeline = create_pipeline(in_english(RENEWALS.name), template="renewals", by=admin)
            stages = stages_in_use("open", pipeline=pipeline.key)
            for number, deal in enumerate(sold.order_by("won_at", "pk")[:RENEWED]):
                by = self.owners[deal.owner_id or self.manager.pk].actor(Channel.WEB)
                made = create([self._renewal(deal)], by=by, stage=stages[number % len(stages)].key)
                if number == 0:
                    win(Opportunity.objects.filter(pk__in=made.done), by=by)

    def _renewal(self, deal: Opportunity) -> dict:
        return {
            "name": f"{deal.company or deal.contact}, renewal",  # not a text
            "contact": deal.contact_id,
            "amount": deal.amount,
            "currency": deal.currency,
            "close_date": (self.end + self._days(5, 80)).date(),
            "source": "Renewal",  # not a text
            "next_step": "Confirm the number of vehicles",  # not a text
        }
