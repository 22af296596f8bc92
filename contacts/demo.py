"""A plausible year of two small companies' sales, made through the verbs, identical on every machine.

Each person's course is drawn when they are captured; then time advances in steps of six days, and each step's due
actions are run by their owners, one call per kind.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from contacts.models import Activity, Company, Contact
from contacts.moves import VERBS
from contacts.verbs.capture import capture
from contacts.verbs.complete import complete
from contacts.verbs.create_company import create_company
from contacts.verbs.log import log
from contacts.verbs.merge import merge
from contacts.verbs.override import override
from contacts.verbs.set_status import set_status
from crm.entities.people import members
from crm.entities.values import zone
from crm.kit import clock
from crm.kit.actor import Actor, Channel
from crm.kit.text import search_key
from crm.records.verbs.assign import assign
from crm.records.verbs.edit import edit
from crm.users.models import Membership

STEP = timedelta(days=6)
FIRST = (
    "Ana Tomás Lina Jonas Priya Farid Clara Dele Emma Carlos Ingrid Mateo Noor Felix Aisha Hugo Marta Omar "
    "Sofia Lars Yara Pavel Chiara Kofi Elena Jakub Mina Rafael Astrid Samir Lucía Bruno Hana Viktor Salma Nils "
    "Inés Tariq Greta Ivo Leila Anton Zofia Karim Alma Stefan Nadia Diego Freya Yusuf"  # not a text
).split()
LAST = (
    "Ruiz Ortega Kamal Berg Shah Mansour Wendt Nwosu Hall Vega Lindt Silva Haddad Novak Keller Costa Moreau "
    "Lund Abbas Rossi Meyer Santos Fischer Khalil Jensen Popescu Navarro Weber Haas Duarte Olsen Farouk Bauer "
    "Serra Nilsson Petrov Aziz Marin Schulz Castillo Dahl Rahman Conti Vogel Reyes Larsen Saleh Braun Ferrer "
    "Hansen"  # not a text
).split()
TRADES = ("taxi", "logistics", "car rental", "delivery", "shuttle", "bus", "ambulance", "field service")  # not a text
BRANDS = (
    "Metro Desert Nordic Ruta Gulf Hansa Iber City Alpine Delta Blue Red Swift Prime Urban Costa Polar "
    "Orion"  # not a text
).split()
KINDS = {
    "taxi": "Cabs",
    "logistics": "Haul",
    "car rental": "Rent",  # not a text
    "delivery": "Couriers",
    "shuttle": "Shuttle",
    "bus": "Lines",
    "ambulance": "Care",
    "field service": "Service",  # not a text
}
PLACES = (
    ("Madrid", "ES", "Europe/Madrid", "es", "+34 6"),
    ("Lisboa", "PT", "Europe/Lisbon", "pt", "+351 9"),
    ("Hamburg", "DE", "Europe/Berlin", "de", "+49 151"),
    ("Dubai", "AE", "Asia/Dubai", "ar", "+971 50"),
    ("Oslo", "NO", "Europe/Oslo", "nb", "+47 4"),
    ("Lyon", "FR", "Europe/Paris", "fr", "+33 6"),
    ("Leeds", "GB", "Europe/London", "en", "+44 7"),
    ("Milano", "IT", "Europe/Rome", "it", "+39 3"),
)
SOURCES = (
    "Demo request",  # not a text
    "Webinar",
    "Referral",
    "Trade fair",  # not a text
    "Organic search",  # not a text
    "Paid search",  # not a text
    "Partner",
    "Chat",
)
TITLES = (
    "Head of Operations",  # not a text
    "Fleet Manager",  # not a text
    "Managing Director",  # not a text
    "Dispatcher",
    "CFO",
    "Buyer",
    "IT Lead",
)
ROLES = ("decision_maker", "influencer", "champion", "blocker", "user", "")
TASKS = ("Send pricing", "Call back", "Prepare the demo", "Ask for references")  # not a text
MEETINGS = ("Product demo", "Kick-off", "Contract review")  # not a text
MANAGER_TASKS = (
    "Approve the discount",  # not a text
    "Join the negotiation",  # not a text
    "Review the forecast",  # not a text
    "Prepare the board report",  # not a text
)
IN_TIME = 0.82  # share of new leads contacted within the day
ACCOUNTS = 16  # of the manager's own
CALLS = ("Discovery call", "Follow-up call", "Call about pricing", "Call with the fleet manager")  # not a text
NOTES = (
    "Replacing spreadsheets before the new season.\nBudget is approved. The director signs off.",  # not a text
    "Comparing us with two others. Wants references of a similar size.",  # not a text
    "Pilot with ten vehicles went well. Drivers like the app.",  # not a text
    "No budget before the next fiscal year. Stay in touch.",  # not a text
    "Asked for a quote with annual billing.",  # not a text
)
QUESTION = "They asked for references of a similar size. Can you call before Friday?"  # not a text
LOSSES = ("No budget this year", "Chose a competitor", "No answer after five attempts", "Fleet sold")  # not a text


@dataclass
class Plan:
    """Planned actions: (time, kind) → contacts, per member."""

    due: dict[tuple[int, str, int], list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, step: int, kind: str, member: int, pk: int) -> None:
        self.due[step, kind, member].append(pk)


class History:
    """A year of one workspace: `members` by local part of their address, `people` and `companies` as counts."""

    def __init__(self, members: dict[str, Membership], *, people: int, companies: int, seed: int):
        self.random = random.Random(seed)  # noqa: S311 (believable, not secret)
        self.members = {member.pk: member for member in members.values()}
        self.sellers = [members[name] for name in ("rep", "mate", "outsider") if name in members] or [members["rep"]]
        self.manager = members.get("manager") or members["admin"]
        self.has_manager = "manager" in members
        self.people, self.company_count = people, companies
        self.end = timezone.now().replace(microsecond=0) - timedelta(hours=1)
        self.steps = int(timedelta(days=365) / STEP)
        self.plan, self.made = Plan(), 0
        self.companies: list[Company] = []
        self.emails: set[str] = set()
        self.names: set[str] = set()

    def write(self) -> None:
        self._found_companies()
        for step in range(self.steps):
            self._capture(step)
            self._do_what_is_due(step)
        self._finish()

    def _at(self, step: int) -> datetime:
        start = self.end - STEP * (self.steps - step)
        return start + timedelta(hours=self.random.randrange(1, 130), minutes=self.random.randrange(60))

    def _actor(self, member: Membership) -> Actor:
        return member.actor(Channel.WEB)

    def _found_companies(self) -> None:
        share = -(-self.company_count // len(self.sellers))
        for seller in self.sellers:
            with clock.at(self._at(0)):
                wanted = min(share, self.company_count - len(self.companies))
                rows = [self._company() for _ in range(wanted)]
                # One company is shared: every member needs one with visible people.
                teams = [self._team(seller) if index else None for index in range(wanted)]
                rows = [row | {"team": team} for row, team in zip(rows, teams, strict=True)]
                made = create_company(rows, by=self._actor(seller))
            self.companies += Company.objects.filter(pk__in=made.done).order_by("pk")

    def _company(self) -> dict:
        trade = self.random.choice(TRADES)
        city, country, *_ = self.random.choice(PLACES)
        name = f"{self.random.choice(BRANDS)} {KINDS[trade]}"
        name = next(n for n in (name, f"{name} {city}", *(f"{name} {i}" for i in range(2, 99))) if n not in self.names)
        self.names.add(name)
        domain = name.lower().replace(" ", "-") + ".example"
        website, employees = f"https://{domain}", self.random.choice((4, 12, 30, 75, 140, 300, 900))
        facts = {"name": name, "domain": domain, "website": website, "industry": trade, "employees": employees}
        return facts | {"city": city, "country": country}

    def _team(self, member: Membership) -> int | None:
        return member.team_id if self.random.random() < 0.4 else None

    def _capture(self, step: int) -> None:
        wanted = self.people * (step + 1) // self.steps - self.made
        by_source: dict[tuple[str, int], list[dict]] = defaultdict(list)
        running = {seller.pk: self.random.sample(SOURCES, 3) for seller in self.sellers}  # the current campaigns
        for _ in range(wanted):
            seller = self.random.choice(self.sellers)
            by_source[self.random.choice(running[seller.pk]), seller.pk].append(self._person(seller))
        for (source, pk), people in by_source.items():
            at = self._at(step)
            with clock.at(at):
                outcome = capture(people, by=self._actor(self.members[pk]), source=source)
            self._call_first(outcome.done, self.members[pk], at)
            for contact in outcome.done:
                self._fate(step, pk, contact)
        self.made += wanted

    def _call_first(self, people: list[int], member: Membership, captured: datetime) -> None:
        """Call most new leads within the day, the others later or without reaching them."""
        reached = [pk for pk in people if self.random.random() < IN_TIME]
        at = captured + timedelta(minutes=self.random.randrange(20, 20 * 60))
        if reached and at < self.end:
            with clock.at(at):
                log([self._call(pk, "connected") for pk in reached], by=self._actor(member))

    def _person(self, seller: Membership) -> dict:
        first, last = self.random.choice(FIRST), self.random.choice(LAST)
        company = self.random.choice([c for c in self.companies if c.team_id in (None, seller.team_id)])
        *_, zone, language, prefix = self.random.choice([p for p in PLACES if p[1] == company.country])
        person = {"first_name": first, "last_name": last, "company": company.pk, "timezone": zone, "language": language}
        person |= {"title": self.random.choice(TITLES), "role": self.random.choice(ROLES), "team": self._team(seller)}
        if self.random.random() < 0.92:
            person["email"] = self._email(first, last, company.domain)
        if self.random.random() < 0.7:
            person["phone"] = prefix + "".join(self.random.choice("0123456789") for _ in range(8))
        if self.random.random() < 0.3:
            person["marketing_consent"] = "Opted in, web form"  # not a text
        return person

    def _email(self, first: str, last: str, domain: str) -> str:
        stem = f"{search_key(first)}.{search_key(last)}"
        email, number = f"{stem}@{domain}", 2
        while email in self.emails:
            email, number = f"{stem}{number}@{domain}", number + 1
        self.emails.add(email)
        return email

    def _fate(self, step: int, member: int, pk: int) -> None:
        """Plan a contact's course: first contact soon, nearly half worth pursuing, half of those buy, a few churn."""
        luck, days = self.random.random(), self.random.randrange
        called = step + 1
        self.plan.add(called, "call", member, pk)
        if luck < 0.12:
            return
        if luck < 0.42:
            self.plan.add(called + days(1, 10), "lose", member, pk)
            return
        if luck > 0.92:
            self.plan.add(called + days(2, 15), "note", member, pk)
            return
        qualified = called + days(1, 4)
        self.plan.add(qualified, "qualify", member, pk)
        self.plan.add(qualified + 1, "note", member, pk)
        decided = qualified + days(2, 10)
        self.plan.add(decided - 1, "call", member, pk)
        self._ending(luck, decided, member, pk)

    def _ending(self, luck: float, decided: int, member: int, pk: int) -> None:
        days = self.random.randrange
        if luck < 0.64:
            self.plan.add(decided, "win", member, pk)
            if luck < 0.47:
                self.plan.add(decided + days(8, 30), "churn", member, pk)
        elif luck < 0.84:
            self.plan.add(decided, "lose", member, pk)
            if luck < 0.66:
                self.plan.add(decided + 10, "reopen", self.manager.pk, pk)
        elif luck < 0.86:
            self.plan.add(decided, "partner", member, pk)

    def _do_what_is_due(self, step: int) -> None:
        due = [(kind, member, pks) for (when, kind, member), pks in list(self.plan.due.items()) if when == step]
        for kind, member, pks in due:
            with clock.at(self._at(step)):
                self._do(kind, pks, self._actor(self.members[member]))

    def _do(self, kind: str, pks: list[int], by: Actor) -> None:
        if kind in ("call", "note"):
            log([self._activity(kind, pk) for pk in pks], by=by)
        else:
            VERBS[kind](Contact.objects.filter(pk__in=pks), by=by, reason=self._reason(kind))

    def _activity(self, kind: str, pk: int) -> dict:
        if kind == "note":
            body = self.random.choice(NOTES)
            return {"kind": "note", "subject": body.splitlines()[0], "body": body, "contact_id": pk}
        return self._call(pk, self.random.choice(("connected", "connected", "left_voicemail", "no_answer")))

    def _call(self, pk: int, outcome: str) -> dict:
        minutes = self.random.randrange(3, 40) if outcome == "connected" else None
        subject = self.random.choice(CALLS)
        return {"kind": "call", "subject": subject, "contact_id": pk, "outcome": outcome, "minutes": minutes}

    def _reason(self, kind: str) -> str:
        reasons = {"lose": LOSSES, "churn": ("Moved in-house", "Price", "Went out of business")}  # not a text
        reasons |= {"partner": ("Resells to its own drivers",), "reopen": ("Budget approved",)}  # not a text
        return self.random.choice(reasons.get(kind, ("",)))

    def _finish(self) -> None:
        """Add a realistic current day: tasks, corrections, duplicates, an override."""
        for seller in self.sellers:
            mine = Contact.objects.live().filter(owner=seller, lifecycle_stage__in=("lead", "qualified"))
            recent = list(mine.order_by("-last_activity", "pk")[:24])
            self._tasks(seller, recent, TASKS)
            self._meetings(seller, recent)
            self._status(seller, list(mine.order_by("pk")[:40]))
        if self.has_manager:
            self._take_accounts()
        self._corrections()
        self._news()

    def _take_accounts(self) -> None:
        mine = Contact.objects.live().filter(lifecycle_stage__in=("lead", "qualified"), team=None)
        people = list(mine.order_by("-last_activity", "pk")[:ACCOUNTS])
        with clock.at(self.end - timedelta(days=5)):
            assign(_rows(*people), self.manager, by=self._actor(self.manager))
        self._tasks(self.manager, people, MANAGER_TASKS)

    def _tasks(self, seller: Membership, people: list[Contact], subjects: Sequence[str]) -> None:
        due = (-3, -1, 0, 0, 1, 2, 4, 7)
        with clock.at(self.end - timedelta(days=4)):
            tasks = [
                {
                    "kind": "task",
                    "subject": self.random.choice(subjects),
                    "contact_id": person.pk,
                    "priority": "high" if index % 5 == 0 else "normal",
                    "due_at": self._due(due[index % len(due)]),
                }
                for index, person in enumerate(people)
            ]
            made = log(tasks, by=self._actor(seller))
        with clock.at(self.end - timedelta(days=1)):
            complete(Activity.objects.filter(pk__in=made.done[::6]), by=self._actor(seller))

    def _meetings(self, seller: Membership, people: list[Contact]) -> None:
        """Plan meetings of several people, and a call that repeats."""
        pairs = list(zip(people[::4], people[1::4], strict=False))[:3]
        planned = [
            {
                "kind": "meeting",
                "subject": self.random.choice(MEETINGS),
                "contact_id": first.pk,
                "participants": [second.pk],
                "due_at": self._due(day),
                "minutes": 45,
                "reminder": "60",
            }
            for day, (first, second) in enumerate(pairs, 1)
        ]
        review = {"kind": "call", "subject": "Monthly review", "repeats": "monthly", "reminder": "1440"}  # not a text
        planned += [review | {"contact_id": person.pk, "due_at": self._due(6)} for person in people[:1]]
        with clock.at(self.end - timedelta(days=2)):
            log(planned, by=self._actor(seller))

    def _due(self, days: int) -> datetime:
        """Return a quarter of an hour of a working day, `days` from the end."""
        day = (self.end + timedelta(days=days)).astimezone(zone()).replace(second=0)
        return day.replace(hour=self.random.randrange(8, 18), minute=self.random.choice((0, 15, 30, 45)))

    def _status(self, seller: Membership, people: list[Contact]) -> None:
        for status, part in (("bounced", people[:3]), ("unsubscribed", people[3:8]), ("inactive", people[8:12])):
            with clock.at(self.end - timedelta(days=20)):
                rows = Contact.objects.filter(pk__in=[person.pk for person in part])
                set_status(rows, status, by=self._actor(seller))

    def _corrections(self) -> None:
        people = list(Contact.objects.live().filter(lifecycle_stage="lead").order_by("pk")[:13])
        manager = self.manager
        with clock.at(self.end - timedelta(days=9)):
            reason = "Signed on paper at the trade fair"  # not a text
            override(_rows(*people[:1]), to="customer", by=self._actor(manager), reason=reason)
            assign(_rows(*people[1:6]), self.sellers[0], by=self._actor(manager))
            facts = {"title": "Head of Purchasing", "role": "decision_maker"}  # not a text
            edit(_rows(*people[6:7]), facts, by=self._actor(manager))
        for person in people[7:10]:
            self._duplicate(person)
        with clock.at(self.end - timedelta(days=2)):  # without a reason
            VERBS["lose"](_rows(*people[10:]), by=self._actor(manager), reason="")

    def _duplicate(self, person: Contact) -> None:
        with clock.at(self.end - timedelta(days=8)):
            twin = {"name": f"{person.first_name[0]}. {person.last_name}", "mobile": "+34 600 100 200"}
            pk = capture([twin], by=self._actor(self.manager), source="Chat").done[0]
            note = {"kind": "note", "subject": "Asked about pricing in the chat", "contact_id": pk}  # not a text
            log([note], by=self._actor(self.manager))
        with clock.at(self.end - timedelta(days=7)):
            merge(person, Contact.objects.filter(pk=pk), by=self._actor(self.manager))

    def _news(self) -> None:
        """Create notifications: contacts assigned to the first seller, and a question to each."""
        first, by_manager = self.sellers[0], self._actor(self.manager)
        with clock.at(self.end - timedelta(hours=20)):
            others = Contact.objects.live().filter(lifecycle_stage="lead", team=None).exclude(owner=first)
            assign(_rows(*others.order_by("-created_at", "pk")[:4]), first, by=by_manager)
        directory = members().rows
        for seller in self.sellers:
            person = Contact.objects.live().filter(owner=seller).order_by("-last_activity", "pk").first()
            if person is None:
                continue
            body = f"@{directory[seller.pk].handle} {QUESTION}"
            with clock.at(self.end - timedelta(hours=3)):
                log([{"kind": "note", "subject": body, "contact_id": person.pk}], by=self._actor(self.manager))


def _rows(*people: Contact):
    return Contact.objects.filter(pk__in=[person.pk for person in people])
