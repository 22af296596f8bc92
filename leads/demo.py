"""Demo data of leads, made through the verbs: fleets, countries, a year of engagement, and outcomes.

Derived from the contacts' year: those who became customers had engaged more before.
"""

import random
from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from contacts.engagement import NewEngagement
from contacts.models import Contact
from contacts.verbs.engage import engage
from crm.kit import clock
from crm.kit.actor import Actor, Channel
from crm.opportunities.models import Opportunity
from crm.records.verbs.edit import edit
from crm.users.models import Membership
from leads.converting import Converted, convert_each
from leads.models import Lead
from leads.open_leads import PROSPECTS
from leads.scoring.runs import finish_scoring_run, open_run
from leads.verbs.first_contact import first_contact
from leads.verbs.lose_leads import lose_leads

FLEETS = (3, 7, 14, 32, 60, 120, 180, 260, 420)
EARLY = ("page_viewed", "email_opened", "email_clicked", "content_download", "pricing_viewed", "webinar_attended")
LATE = ("demo_request", "meeting_booked", "email_reply", "pricing_viewed", "call_connected", "form_submitted")
KEEN = ("demo_request", "meeting_booked", "email_reply", "pricing_viewed", "email_clicked")
# Number of events per kind, by current stage.
INTEREST = {
    "customer": (4, 3),
    "churned": (4, 3),
    "qualified": (4, 3),
    "partner": (2, 2),
    "lost": (2, 0),
    "lead": (3, 1),
}
SLOT = timedelta(days=15)
LEARNT = timedelta(days=120)
SETTLED = "Closed with the contact"  # not a text


class Interest:
    """The demo leads of one workspace, identical on every machine."""

    def __init__(self, manager: Membership, *, seed: int):
        self.random = random.Random(seed)  # noqa: S311 (believable, not secret)
        self.manager = manager
        self.end = timezone.now().replace(microsecond=0) - timedelta(hours=2)

    def write(self) -> None:
        """Fill in leads, replay their engagement in order of time, and score them as of now."""
        people = Lead.objects.live().filter(contact__deleted_at__isnull=True)
        leads = list(people.select_related("contact__company").order_by("pk"))
        self._describe(leads)
        self._contact(leads)
        self._engage(leads)
        self._settle()
        self._be_keen(leads)
        by = self._by()
        finish_scoring_run(open_run(by=by), by=by)

    def _by(self) -> Actor:
        return self.manager.actor(Channel.WEB)

    def _describe(self, leads: list[Lead]) -> None:
        """Set a fleet size by company size and country, learned some months later; some stay blank."""
        alike: defaultdict[tuple[int, int | None, str], list[int]] = defaultdict(list)
        for lead in leads:
            company = lead.contact.company
            employees = company.employees or 0 if company else 0
            fleet = min(FLEETS, key=lambda size: abs(size - employees))
            known = fleet if self.random.random() < 0.85 else None
            alike[self._slot(lead.created_at, LEARNT), known, company.country if company else ""].append(lead.pk)
        for (slot, size, country), pks in sorted(alike.items(), key=lambda each: -each[0][0]):
            with clock.at(self.end - LEARNT * slot):
                edit(Lead.objects.filter(pk__in=pks), {"fleet_size": size, "country": country}, by=self._by())

    def _slot(self, at: datetime, length: timedelta) -> int:
        """Return the number of whole `length`s between the time and the end."""
        return int((self.end - at) / length)

    def _contact(self, leads: list[Lead]) -> None:
        """Contact leads in time, except a few and those created since yesterday."""
        slots: defaultdict[int, list[int]] = defaultdict(list)
        for lead in leads:
            if lead.created_at < self.end - timedelta(days=1) and self.random.random() < 0.997:
                slots[self._slot(lead.created_at, SLOT)].append(lead.pk)
        for slot in sorted(slots, reverse=True):
            with clock.at(self.end - SLOT * slot):
                first_contact(Lead.objects.open().filter(pk__in=slots[slot]), by=self._by())

    @transaction.atomic
    def _settle(self) -> None:
        """Convert leads of customers at their first opportunity; close those of other settled contacts."""
        held = Lead.objects.open().exclude(contact__lifecycle_stage__in=PROSPECTS)
        settled = list(held.select_related("contact").order_by("pk").select_for_update(of=("self",)))
        people = [lead.contact_id for lead in settled]
        deals = Opportunity.objects.filter(contact__in=people).order_by("-created_at")
        first = {deal.contact_id: deal for deal in deals}
        bought = [(lead, first[lead.contact_id]) for lead in settled if lead.contact_id in first]
        moments = [max(deal.created_at, lead.status_since, lead.stage_since) for lead, deal in bought]
        pairs = zip(bought, moments, strict=True)
        convert_each([Converted(lead, deal.pk, at) for (lead, deal), at in pairs], by=self._by())
        self._lose([lead for lead in settled[5:] if lead.contact_id not in first])

    def _lose(self, leads: list[Lead]) -> None:
        slots: defaultdict[int, list[int]] = defaultdict(list)
        for lead in leads:
            slots[self._slot(lead.contact.lifecycle_stage_since, SLOT)].append(lead.pk)
        for slot in sorted(slots, reverse=True):
            with clock.at(self.end - SLOT * slot - timedelta(hours=self.random.randint(0, 40))):
                lose_leads(Lead.objects.filter(pk__in=slots[slot]).open(), by=self._by(), reason=SETTLED)

    def _engage(self, leads: list[Lead]) -> None:
        events: defaultdict[int, list[NewEngagement]] = defaultdict(list)
        for lead in leads:
            for event in self._events(lead):
                events[self._slot(event.at, SLOT)].append(event)
        for slot in sorted(events, reverse=True):
            with clock.at(min(self.end, self.end - SLOT * slot)):
                engage(events[slot], by=self._by())

    def _events(self, lead: Lead) -> list[NewEngagement]:
        contact = lead.contact
        early, late = INTEREST[contact.lifecycle_stage]
        first = max(lead.created_at, self.end - timedelta(days=360))
        last = contact.lifecycle_stage_since if contact.lifecycle_stage in ("lost", "customer") else self.end
        kinds = self.random.choices(EARLY, k=self.random.randint(0, early + 1))
        kinds += self.random.choices(LATE, k=self.random.randint(0, late))
        return [NewEngagement(contact.pk, kind, self._between(first, max(first, last))) for kind in kinds]

    def _between(self, first: datetime, last: datetime) -> datetime:
        """Return a time between, biased to later: interest grows."""
        return first + (min(last, self.end) - first) * self.random.random() ** 0.85

    def _be_keen(self, leads: list[Lead]) -> None:
        """Make large fleets more or less keen, so that a few are Sales Qualified."""
        stages = ("lead", "qualified")
        large = [lead for lead in leads if lead.contact.lifecycle_stage in stages and _fits(lead.contact)]
        events = [
            NewEngagement(lead.contact_id, kind, self.end - timedelta(minutes=self.random.randint(10, 18 * 24 * 60)))
            for lead in large[-60:]
            for kind in self.random.sample(KEEN, self.random.randint(1, 3))
        ]
        with clock.at(self.end):
            engage(events, by=self._by())


def _fits(contact: Contact) -> bool:
    company = contact.company
    return bool(company and (company.employees or 0) >= 140 and company.country in ("DE", "AE", "GB", "FR"))
