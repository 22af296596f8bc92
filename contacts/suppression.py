"""Suppressed email addresses, and the contact statuses Unsubscribed and Bounced that reflect them.

Why: docs/decisions/0021-suppressions-belong-to-addresses.md
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When

from audit import values as audited
from audit.record import LogRow, record_rows
from contacts.addresses import EMAIL
from contacts.axes import STATUS
from contacts.engagement import NewEngagement, on_engaged, store
from contacts.models import Contact, ContactAddress, EngagementEvent, Suppression
from crm.events.reactions import reacts_to
from crm.kit import clock
from crm.kit.actor import Actor, Channel
from crm.kit.compiled_queries import run_cached_over
from crm.kit.sql import as_stored, insert_new, next_ids
from crm.kit.text import email_key
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.models import Transition
from crm.lifecycle.move import force_move

UNSUBSCRIBED, BOUNCED, ACTIVE = "unsubscribed", "bounced", "active"
SHOWN = (UNSUBSCRIBED, BOUNCED)  # statuses that reflect a suppression
FOLLOWED = "suppression"  # the verb of transitions that only reflect a suppression
Reason = Suppression.Reason
SUPPRESS = "suppress"  # follow()'s result besides statuses
# Channels that relay a contact's own action; in all others a member decides.
TOLD = (Channel.IMPORT, Channel.COMMAND, Channel.MAIL)
SOURCES = {Channel.IMPORT: _("Import"), Channel.COMMAND: _("Command line"), Channel.MAIL: _("Link in an email")}


def suppressed_status(address: str = "email_key") -> Subquery:
    """Return the status implied by suppressions of the address in column `address`; NULL if there are none.

    Unsubscribed outweighs Bounced.
    """
    status = Case(When(reason=Reason.BOUNCED, then=Value(BOUNCED)), default=Value(UNSUBSCRIBED))
    rows = Suppression.objects.filter(email_key=OuterRef(address)).annotate(status=status)
    return Subquery(rows.order_by("-status").values("status")[:1], output_field=CharField())


def is_suppressed(address: str) -> bool:
    return Suppression.objects.filter(email_key=email_key(address)).exists()


class AddressToSuppress(NamedTuple):
    """An address to suppress, with the contact (primary key) for its timeline and erasure."""

    contact: int
    email_key: str
    reason: str
    source: str
    at: datetime


def suppress(stops: Sequence[AddressToSuppress], *, by: Actor) -> None:
    """Suppress addresses, once per reason, update their contacts' statuses, and record each."""
    if not stops:
        return
    ids = next_ids(Suppression, len(stops))
    facts = [(pk, s.email_key, s.reason, s.source[:300], as_stored(s.at)) for pk, s in zip(ids, stops, strict=True)]
    insert_new(Suppression, ("id", "email_key", "reason", "source", "at"), facts, {"by_id": by.member_id})
    stored = set(Suppression.objects.filter(pk__any_of=ids).values_list("pk", flat=True))
    added = [(pk, stop) for pk, stop in zip(ids, stops, strict=True) if pk in stored]
    rows = [LogRow(pk, stop.contact, None, _facts(stop, by.member_id)) for pk, stop in added]
    record_rows("suppression.added", rows, by=by)
    named = {stop.contact for stop in stops}  # also in the trash
    follow(Contact.objects.filter(pk__any_of=sorted({*_with_primary({s.email_key for s in stops}), *named})), by)


def _with_primary(keys: Iterable[str]) -> list[int]:
    """Return the live contacts with these primary emails; others in the trash follow at their restore."""
    rows = ContactAddress.objects.filter(kind=EMAIL, position=0, key__any_of=sorted(keys))
    return list(rows.order_by("contact").values_list("contact", flat=True))


def _facts(of: AddressToSuppress | Suppression, by: int | None) -> dict[str, Any]:
    facts = {"email_key": of.email_key, "reason": str(of.reason), "source": of.source[:300]}
    return facts | {"at": audited.to_log(of.at), "by": by}


def lift_reasons(contacts: QuerySet, reasons: Iterable[str], *, by: Actor, note: str) -> None:
    """Lift suppressions of the (locked) contacts' addresses that have only the given `reasons`."""
    pairs = {key: contact.pk for contact in contacts.only("address_rows") for key in contact.email_keys}
    rows = Suppression.objects.filter(email_key__any_of=sorted(pairs), reason__in=list(reasons))
    facts = [
        LogRow(row.pk, pairs[row.email_key], _facts(row, row.by_id), None)
        for row in rows.order_by("pk").select_for_update(of=("self",))
    ]
    rows.delete()
    record_rows("suppression.lifted", facts, by=by, note=note)
    alike = Contact.objects.filter(pk__any_of=sorted({*_with_primary(pairs), *_ids(contacts)}))
    free = alike.filter(status__in=SHOWN).annotate(shown=suppressed_status()).filter(shown__isnull=True)
    _write(sorted(_ids(free)), ACTIVE, by, note)
    follow(alike, by)


def _ids(rows: QuerySet) -> list[int]:
    return list(rows.order_by().values_list("pk", flat=True))


def status_refusals(contacts: QuerySet, to: str) -> dict[int, str]:
    """Return pk → why a contact's status may not be set to `to` because of a suppression."""
    if to == UNSUBSCRIBED:
        return {}
    held = (
        contacts.annotate(shown=suppressed_status())
        .filter(Q(shown__isnull=False) | Q(status=UNSUBSCRIBED))
        .exclude(status=to)
    )
    held = held.filter(Q(shown=UNSUBSCRIBED) | Q(status=UNSUBSCRIBED)) if to == BOUNCED else held
    statuses = held.values_list("pk", "status", "shown")
    return {pk: _held(to, status if found is None else found) for pk, status, found in statuses}


def _held(to: str, found: str) -> str:
    if found == UNSUBSCRIBED:
        why = gettext("Can’t set the status to {status}: this contact unsubscribed. An admin can lift the suppression.")
    else:
        why = gettext("Can’t set the status to {status}: this address bounced. An admin can lift the suppression.")
    return why.format(status=STATUS.value(to).label)


# Reactions to changes of contacts. Each costs one statement if nothing is due.


@reacts_to("contact.created", "contact.captured", "contact.status_changed")
def suppress_by_status(contacts: QuerySet, by: Actor) -> None:
    """React to created contacts and set statuses: Unsubscribed and Bounced suppress the address.

    Unsubscribing is also stored as engagement, unless an event has already recorded it.
    """
    found = _concerned(contacts)
    rows = [
        row for row in found if row.email_key and row.status in SHOWN and row.shown not in (row.status, UNSUBSCRIBED)
    ]
    sources = _sources([row.pk for row in rows], by)
    suppress(
        [AddressToSuppress(r.pk, r.email_key, _reason(r.status, by), sources[r.pk], clock.now()) for r in rows], by=by
    )
    _engage([row.pk for row in found if row.status == UNSUBSCRIBED], by)
    if found:
        follow(contacts, by)


def _reason(status: str, by: Actor) -> str:
    if status == BOUNCED:
        return Reason.BOUNCED
    return Reason.UNSUBSCRIBED if by.channel in TOLD else Reason.MANUAL


def _sources(ids: list[int], by: Actor) -> dict[int, str]:
    """Return why statuses were set: the given reason, otherwise the origin."""
    moves = Transition.objects.filter(entity="contact", axis=STATUS.field).exclude(reason="")
    given = (
        dict(moves.filter(record_id__any_of=ids, change__unindexed=by.change).values_list("record_id", "reason"))
        if ids
        else {}
    )
    how = str(SOURCES.get(by.channel, _("Status")))
    return {pk: given.get(pk, how) for pk in ids}


def _engage(ids: Sequence[int], by: Actor) -> None:
    """Store engagement for contacts set to Unsubscribed by this action itself, not by its consequences."""
    set_now = Transition.objects.filter(entity="contact", axis=STATUS.field, to_value=UNSUBSCRIBED)
    events = EngagementEvent.objects.filter(contact__pk__any_of=list(ids), kind=UNSUBSCRIBED, change=by.change)
    set_now = set_now.filter(record_id__any_of=list(ids), change__unindexed=by.change, verb="set_status")
    gone = set_now.values_list("record_id", flat=True)
    new = set(gone) - set(events.values_list("contact", flat=True)) if ids else set()
    store([NewEngagement(pk, UNSUBSCRIBED, clock.now()) for pk in sorted(new)], by=by)


@on_engaged
def suppress_by_events(events: QuerySet[EngagementEvent], by: Actor) -> None:
    """React to new engagement events: contacts who unsubscribed elsewhere are not emailed."""
    gone = events.filter(kind=UNSUBSCRIBED).exclude(contact__status=UNSUBSCRIBED).order_by("occurred_at", "pk")
    found = list(gone.values_list("contact", "contact__email_key", "occurred_at"))
    source = gettext("Event")
    suppress([AddressToSuppress(pk, key, Reason.UNSUBSCRIBED, source, at) for pk, key, at in found if key], by=by)
    _write([pk for pk, key, _at in found if not key], UNSUBSCRIBED, by, source)


@reacts_to("contact.updated", "contact.enriched", "contact.merged", "contact.restored", "contact.undone")
def follow(contacts: QuerySet, by: Actor) -> None:
    """React to contacts with a possibly new address or restored from the trash: update the status.

    A person who unsubscribed is not emailed at a new address either. A bounce applies to one address only.
    """
    due: defaultdict[str, list[int]] = defaultdict(list)
    for row in _concerned(contacts):
        if row.due:
            due[row.due].append(row.pk)
    if not due:
        return
    people = Contact.objects.filter(pk__any_of=due.pop(SUPPRESS, [])).values_list("pk", "email_key")
    source = gettext("New address")
    suppress([AddressToSuppress(pk, key, Reason.MANUAL, source, clock.now()) for pk, key in people], by=by)
    for status, ids in due.items():
        _write(ids, status, by, "" if status == ACTIVE else gettext("Suppressed address"))


def status_shows_suppression(contacts: QuerySet) -> bool:
    return not any(row.due for row in _concerned(contacts))


class AffectedContact(NamedTuple):
    """A contact with a suppressed status, set or due: `due` is the status to set, or SUPPRESS."""

    pk: int
    email_key: str
    status: str
    shown: str | None
    due: str


def _concerned(contacts: QuerySet) -> list[AffectedContact]:
    """Return affected contacts, in cached SQL where possible; every new contact is checked."""
    return [AffectedContact(*row) for row in run_cached_over(contacts, "suppression", _rows)]


def _rows(contacts: QuerySet) -> QuerySet:
    rows = contacts.order_by("pk").annotate(shown=suppressed_status()).annotate(due=_step())
    return rows.filter(Q(status__in=SHOWN) | ~Q(due="")).values_list(*AffectedContact._fields)


def _step() -> Case:
    return Case(
        When(Q(shown__isnull=False) & ~Q(shown=F("status")) & ~Q(status=UNSUBSCRIBED), then=F("shown")),
        When(
            Q(status=UNSUBSCRIBED) & (Q(shown__isnull=True) | Q(shown=BOUNCED)) & ~Q(email_key=""), then=Value(SUPPRESS)
        ),
        When(Q(status=BOUNCED, shown__isnull=True) & ~Q(email_key=""), then=Value(ACTIVE)),
        default=Value(""),
        output_field=CharField(),
    )


def _write(ids: Sequence[int], status: str, by: Actor, reason: str) -> None:
    if ids:
        rows = Contact.objects.filter(pk__any_of=list(ids))
        force_move(rows, STATUS, status, verb=FOLLOWED, event="contact.status_changed", by=by, reason=reason)
