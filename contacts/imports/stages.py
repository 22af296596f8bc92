"""Stages of people who are there already: moves like any other, by the same verbs, table and guards."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from contacts.axes import LIFECYCLE
from contacts.models import Contact
from contacts.moves import VERBS
from contacts.verbs.override import override
from crm.kit.actor import Actor
from crm.lifecycle.axes import Move, Reason
from crm.lifecycle.move import elsewhere
from crm.lists.models import ImportRun


def move_each(wanted: Mapping[Contact, str], run: ImportRun, by: Actor) -> dict[int, str]:
    """Move locked contacts to the stages wanted, overriding where the run has a reason. Who stays: id → sentence."""
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for contact, to in wanted.items():
        if contact.lifecycle_stage != to:
            groups[contact.lifecycle_stage, to].append(contact.pk)
    refused: dict[int, str] = {}
    for (here, to), ids in groups.items():
        stay = _move(here, to, ids, run, by)
        if stay and run.override_reason:
            stay = override(_rows(stay), to, by=by, reason=run.override_reason).refused
        refused |= stay
    return refused


def _move(here: str, to: str, ids: list[int], run: ImportRun, by: Actor) -> dict[int, str]:
    steps = [step for step in LIFECYCLE.moves if step.target == to]
    step = next((step for step in steps if here in step.sources), None)
    if step is None:
        return dict.fromkeys(ids, " ".join(elsewhere(LIFECYCLE, step, here) for step in steps))
    if not by.is_at_least(step.role):
        return dict.fromkeys(ids, f"{step.label} needs the role {step.role} or higher; yours is {by.role}.")
    return VERBS[step.verb](_rows(ids), _reason(step, run), by).refused


def _reason(step: Move, run: ImportRun) -> str:
    """Where a reason is required, the file is one; where it is asked for, its absence is for somebody to look at."""
    return f"Imported from {run.file_name}" if step.reason == Reason.REQUIRED else ""


def _rows(ids: Iterable[int]):
    return Contact.objects.filter(pk__in=list(ids))
