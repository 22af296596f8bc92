"""choose(): the owner of each new lead, in a few statements for any number of leads."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from django.db.models import BooleanField, Case, Count, Q, QuerySet, When

from contacts.models import Contact
from crm.conditions.compile import Viewer
from crm.kit import clock
from crm.users.visibility import may_see
from leads.assignment.models import AssignmentRule, Turn
from leads.assignment.people import Worker, working
from leads.assignment.rules import Rule, rules
from leads.models import Lead


class HasOwner(Protocol):
    """A contact, or a row of its values."""

    @property
    def owner_id(self) -> int | None:
        """The owner's membership key."""

    @property
    def team_id(self) -> int | None:
        """The team that sees the contact; None for all."""


def choose(leads: QuerySet[Lead], contacts: Mapping[int, HasOwner]) -> dict[int, int | None]:
    """Return each lead's owner (membership key), None if there is no candidate; `contacts` are the leads' contacts.

    First matching rule with a candidate, then the contact's active owner, then the pool by round-robin. Members who may
    not see the contact are skipped. Turns stay locked until commit: rules in key order, then the pool, so that
    concurrent assignments cannot deadlock.
    """
    chosen: dict[int, int | None] = _by_rules(leads, contacts)
    left = [pk for pk in contacts if pk not in chosen]
    workers = working() if left else {}
    chosen |= {pk: owner for pk in left if (owner := contacts[pk].owner_id) in workers}
    left = [pk for pk in left if pk not in chosen]
    return chosen | (_from_pool(left, contacts) if left else {})


def _by_rules(leads: QuerySet[Lead], contacts: Mapping[int, HasOwner]) -> dict[int, int | None]:
    active = rules()
    fitting = _fitting(leads, active) if active else {}
    if not fitting:
        return {}
    needed = {rule.pk for found in fitting.values() for rule in found}
    turns = _locked(sorted(needed))
    workers = working()
    queues = {rule.pk: Queue(turns[rule.pk], *_people(rule, workers, contacts)) for rule in active if rule.pk in needed}
    chosen = {pk: _first(queues[rule.pk].take(contacts[pk]) for rule in found) for pk, found in fitting.items()}
    Turn.objects.bulk_update([queue.turn for queue in queues.values()], ["last"])
    return {pk: owner for pk, owner in chosen.items() if owner}


def _fitting(leads: QuerySet[Lead], active: Sequence[Rule]) -> dict[int, list[Rule]]:
    """Return the rules each lead meets, in order, in one SELECT; leads without a match are omitted."""
    now = clock.now()
    tests = [
        Case(When(Q(rule.condition.expression(Viewer(), now)), then=True), default=False, output_field=BooleanField())
        for rule in active
    ]
    found = {pk: [r for r, fits in zip(active, row, strict=True) if fits] for pk, *row in _in_order(leads, tests)}
    return {pk: some for pk, some in found.items() if some}


def _in_order(leads: QuerySet[Lead], tests: Sequence[Case]) -> QuerySet:
    columns = {f"rule_{index}": test for index, test in enumerate(tests)}
    return leads.order_by("pk").annotate(**columns).values_list("pk", *columns)


def _first(owners: Iterable[int | None]) -> int | None:
    """Return the first owner found; later queues are not asked, so no turn is lost there."""
    return next((owner for owner in owners if owner), None)


def _people(
    rule: Rule, workers: Mapping[int, Worker], contacts: Mapping[int, HasOwner]
) -> tuple[list[Worker], dict[int, int] | None]:
    people = [w for w in workers.values() if w.pk in rule.people or (rule.team_id and w.actor.team_id == rule.team_id)]
    if rule.method != AssignmentRule.Method.LEAST_LOADED:
        return people, None
    open_now = Lead.objects.open().filter(owner__in=[w.pk for w in people]).exclude(pk__any_of=list(contacts))
    return people, dict(open_now.order_by().values_list("owner").annotate(Count("pk")))


def _from_pool(left: Sequence[int], contacts: Mapping[int, HasOwner]) -> dict[int, int | None]:
    turn = _locked([None])[None]
    queue = Queue(turn, [worker for worker in working().values() if worker.in_pool])
    chosen = {pk: queue.take(contacts[pk]) for pk in left}
    Turn.objects.filter(pk=turn.pk).update(last=turn.last)
    return chosen


# Why: docs/decisions/0037-round-robin-under-a-lock.md
def _locked(keys: Sequence[int | None]) -> dict[int | None, Turn]:
    """Return these rules' turns (None: the pool's), created if missing, and locked."""
    wanted = Q(rule__in=[key for key in keys if key]) | (Q(rule__isnull=True) if None in keys else Q(pk__in=[]))
    found = Turn.objects.filter(wanted).select_for_update().order_by("rule_id")
    turns = {turn.rule_id: turn for turn in found}
    if len(turns) < len(keys):
        # Two processes may create the same one: the database keeps the first, and both continue with it.
        missing = [Turn(rule_id=key) for key in keys if key not in turns]
        Turn.objects.bulk_create(missing, ignore_conflicts=True)
        turns = {turn.rule_id: turn for turn in found.all()}
    return turns


def _relieve(queue: Sequence[int], loads: dict[int, int]) -> int:
    """Return the first member with the fewest leads, and count one more."""
    taken = min(queue, key=lambda pk: loads.get(pk, 0))
    loads[taken] = loads.get(taken, 0) + 1
    return taken


class Queue:
    """A rotation of members; with `loads`, fewest open leads first."""

    def __init__(self, turn: Turn, people: Sequence[Worker], loads: dict[int, int] | None = None):
        self.turn, self.people, self.loads = turn, people, loads
        self._able: dict[int | None, list[int]] = {}

    def take(self, contact: HasOwner) -> int | None:
        """Return the next member who may see the contact, or None."""
        able = self._who_sees(contact)
        if not able:
            return None
        team = str(contact.team_id or "")
        after = bisect_right(able, self.turn.last.get(team, 0))
        queue = able[after:] + able[:after]
        self.turn.last[team] = taken = queue[0] if self.loads is None else _relieve(queue, self.loads)
        return taken

    def _who_sees(self, contact: HasOwner) -> list[int]:
        """Return the members in key order; equal for all contacts of a team, so turns are kept per team."""
        if contact.team_id not in self._able:
            unowned = Contact(team_id=contact.team_id)
            self._able[contact.team_id] = [worker.pk for worker in self.people if may_see(unowned, worker.actor)]
        return self._able[contact.team_id]
