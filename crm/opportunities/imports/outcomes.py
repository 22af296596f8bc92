"""How a row says that its opportunity was won or lost, and what that makes of its contact."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contacts.axes import LIFECYCLE
from crm.kit.actor import Actor
from crm.lifecycle.move import Dated, write_each
from crm.lists.formulas import unescape
from crm.lists.imports.mapping import Mapping
from crm.lists.imports.reading import Sheet
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRun
from crm.opportunities.entities import OPPORTUNITY
from crm.opportunities.imports.matching import Match, contact_keys
from crm.opportunities.models import Opportunity
from crm.opportunities.people import PROSPECTS, hold


def wanted_stage(own: dict[str, Any]) -> str:
    """The stage that a row says, in so many words or by when it was won or lost; else the first."""
    dated = "won" if "won_at" in own else "lost" if "lost_at" in own else "prospecting"
    return own.get("stage", dated)


def closed_at(own: dict[str, Any]) -> datetime | None:
    """When the row says that it was won or lost."""
    return own.get("won_at") or own.get("lost_at")


def mention(sheet: Sheet, columns: Mapping, scratch: Scratch) -> None:
    """Note every contact of whom the file has an opportunity that is not lost."""
    feeds = {key: columns.feed(key) for key in ("contact", "stage", "lost_at")}
    if not feeds["contact"]:
        return
    places = {key: feed.column for key, feed in feeds.items() if feed}
    for row in (row for row in sheet.rows() if not row.problem):
        cells = {key: unescape(row.cells[place]).strip() for key, place in places.items()}
        if cells.get("contact") and not _is_lost(cells):
            scratch.mention(f"in play {key}" for key in contact_keys(cells["contact"]))
    scratch.commit()


def _is_lost(cells: dict[str, str]) -> bool:
    said = OPPORTUNITY.fields["stage"].choice(cells.get("stage", ""))
    return said.value == "lost" if said else bool(cells.get("lost_at"))


def move_contacts(moved: Sequence[Match], run: ImportRun, scratch: Scratch, by: Actor) -> None:
    """Win the contacts (locked) of what was won, and lose those who had nothing but what was lost.

    From lead and qualified without guards (DESIGN 1.1); from elsewhere only where the run has a reason to override.
    """
    for stage, verb, to in (("won", "win", "customer"), ("lost", "lose", "lost")):
        closed = [found for found in moved if found.opportunity and found.opportunity.stage == stage]
        if stage == "lost":
            closed = _left_with_nothing(closed, scratch)
        dated = _dated(closed, to, run)
        severity = "warning" if run.override_reason else ""
        how: dict[str, Any] = {"by": by, "reason": run.override_reason, "severity": severity}
        if to == "customer":
            leads = [each._replace(to="qualified") for each in dated if each.record.lifecycle_stage == "lead"]
            write_each(LIFECYCLE, leads, verb="qualify", event="contact.qualified", **how)
        write_each(LIFECYCLE, dated, verb=verb, event=LIFECYCLE.move(verb).event, **how)


def _dated(closed: Sequence[Match], to: str, run: ImportRun) -> list[Dated]:
    """Each contact once, at the first time."""
    first: dict[int, datetime] = {}
    for opportunity in (found.opportunity for found in closed if found.opportunity):
        at = opportunity.stage_since
        first[opportunity.contact_id] = min(at, first.get(opportunity.contact_id, at))
    people = hold(first) if first else {}
    from_anywhere = bool(run.override_reason) and to == "customer"
    return [
        Dated(contact, to, first[pk], {})
        for pk, contact in people.items()
        if contact.lifecycle_stage in PROSPECTS or (from_anywhere and contact.lifecycle_stage != to)
    ]


def _left_with_nothing(lost: Sequence[Match], scratch: Scratch) -> list[Match]:
    ids = [found.opportunity.contact_id for found in lost if found.opportunity]
    others = Opportunity.objects.live().exclude(stage="lost").filter(contact__id__any_of=ids) if ids else None
    busy = set(others.values_list("contact", flat=True)) if others is not None else set()
    texts = {found.row.line: contact_keys(found.row.own.get("contact", "")) for found in lost}
    coming = scratch.mentioned(f"in play {key}" for keys in texts.values() for key in keys)
    return [
        found
        for found in lost
        if found.opportunity
        and found.opportunity.contact_id not in busy
        and not coming & {f"in play {key}" for key in texts[found.row.line]}
    ]
