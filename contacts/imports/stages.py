"""Stages of existing contacts: ordinary moves, by the same verbs, table and guards."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from contacts.axes import LIFECYCLE
from contacts.models import Contact
from contacts.moves import VERBS
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _
from crm.lifecycle.axes import Move, Reason, wrong_stage_message
from crm.lifecycle.dated_moves import DatedMove, move_rows
from crm.lists.models import ImportRun


def move_each(wanted: Mapping[Contact, tuple[str, datetime | None]], run: ImportRun, by: Actor) -> dict[int, str]:
    """Move locked contacts to the given stages, overriding if the run has a reason. Return id → why not moved.

    Each stage has the file's date; the move is dated so, as far as possible. Updates the contacts in memory.
    """
    moves = {contact: (to, _possible(contact, since)) for contact, (to, since) in wanted.items()}
    groups: defaultdict[tuple[str, str, datetime | None], list[int]] = defaultdict(list)
    for contact, (to, at) in moves.items():
        if contact.lifecycle_stage != to:
            groups[contact.lifecycle_stage, to, at].append(contact.pk)
    refused: dict[int, str] = {}
    for (here, to, at), ids in groups.items():
        with clock.at(at or clock.now()):
            refused |= _move(here, to, ids, run, by)
    _read_again([contact for contact in moves if contact.pk not in refused])
    if refused and run.override_reason:
        _override({contact: moves[contact] for contact in moves if contact.pk in refused}, run, by)
        return {}
    return refused


def _possible(contact: Contact, since: datetime | None) -> datetime | None:
    """Limit the date to between the last move and now."""
    return since and min(max(since, contact.lifecycle_stage_since), clock.now())


def _read_again(contacts: Iterable[Contact]) -> None:
    by_key = {contact.pk: contact for contact in contacts}
    rows = Contact.objects.filter(pk__any_of=list(by_key)) if by_key else ()
    for fresh in rows:
        own = by_key[fresh.pk]
        own.lifecycle_stage, own.lifecycle_stage_since = fresh.lifecycle_stage, fresh.lifecycle_stage_since
        own.version, own.updated_at = fresh.version, fresh.updated_at


def _override(moves: Mapping[Contact, tuple[str, datetime | None]], run: ImportRun, by: Actor) -> None:
    step = LIFECYCLE.by_verb["override"]
    dated = [DatedMove(contact, to, at or clock.now(), {}) for contact, (to, at) in moves.items()]
    facts = {"reason": run.override_reason, "severity": step.severity}
    move_rows(LIFECYCLE, dated, verb=step.verb, event=step.event, by=by, **facts)


def _move(here: str, to: str, ids: list[int], run: ImportRun, by: Actor) -> dict[int, str]:
    steps = [step for step in LIFECYCLE.moves if step.target == to]
    step = next((step for step in steps if here in step.sources), None)
    if step is None:
        return dict.fromkeys(ids, " ".join(wrong_stage_message(LIFECYCLE, step, here) for step in steps))
    if not by.is_at_least(step.role):
        sentence = _("Only managers and admins can move a contact from {stage} to {target}.")
        stages = {"stage": LIFECYCLE.value(here).label, "target": LIFECYCLE.value(to).label}
        return dict.fromkeys(ids, sentence.format(**stages))
    return VERBS[step.verb](_rows(ids), by=by, reason=_reason(step, run)).refused


def _reason(step: Move, run: ImportRun) -> str:
    """Return the file as the reason if one is required; an optional one stays empty, as an exception to review."""
    return _("Imported from {file}").format(file=run.file_name) if step.reason == Reason.REQUIRED else ""


def _rows(ids: Iterable[int]):
    return Contact.objects.filter(pk__in=list(ids))
