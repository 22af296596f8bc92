"""Outcomes in rows (won or lost), and their effect on contacts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from contacts.axes import LIFECYCLE
from contacts.imports.past_dates import PastDates
from contacts.models import Contact
from crm.entities.schema import schema
from crm.kit.actor import Actor, Channel
from crm.kit.translation import gettext as _
from crm.lifecycle.dated_moves import DatedMove, move_rows
from crm.lifecycle.models import Transition
from crm.lists.formulas import unescape
from crm.lists.imports.mapping import Mapping as Columns
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import DerivedChanges
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRun
from crm.opportunities import pipelines
from crm.opportunities.contacts import PROSPECTS, lock_contacts
from crm.opportunities.imports.matching import OpportunityMatch, contact_keys
from crm.opportunities.models import Opportunity, StageKind
from crm.opportunities.pipelines import first_stage


def stage_from_row(own: dict[str, Any], record: Opportunity | None = None) -> str:
    """Return a row's stage, explicit or from its closing date; by default the record's, or its pipeline's first."""
    if "stage" in own:
        return own["stage"]
    if record and not own.keys() & {"won_at", "lost_at"} and own.get("pipeline", record.pipeline) == record.pipeline:
        return record.stage
    kind = StageKind.WON if "won_at" in own else StageKind.LOST if "lost_at" in own else StageKind.OPEN
    return first_stage(kind, own.get("pipeline", "")).key


def kind_from_row(own: dict[str, Any], record: Opportunity | None = None) -> str:
    return pipelines.stage(stage_from_row(own, record)).kind


def closed_at(own: dict[str, Any]) -> datetime | None:
    """Return a row's closing date."""
    return own.get("won_at") or own.get("lost_at")


def mention(sheet: Sheet, columns: Columns, scratch: Scratch) -> None:
    """Note every contact with an opportunity in the file that is not lost."""
    feeds = {key: columns.feed(key) for key in ("contact", "stage", "lost_at")}
    if not feeds["contact"]:
        return
    places = {key: feed.column for key, feed in feeds.items() if feed}
    for row in (row for row in sheet.rows() if not row.problem):
        cells = {key: unescape(row.cells[place]).strip() for key, place in places.items()}
        if cells.get("contact") and not _is_lost(cells):
            scratch.mention(f"in play {key}" for key in contact_keys(cells["contact"]))  # not a text
    scratch.commit()


def _is_lost(cells: dict[str, str]) -> bool:
    said = schema("opportunity").field("stage").choice(cells.get("stage", ""))
    return pipelines.stage(said.value).kind == StageKind.LOST if said else bool(cells.get("lost_at"))


def past_dates_by_contact(matches: Sequence[OpportunityMatch]) -> dict[int, PastDates]:
    told: dict[int, PastDates] = {}
    for contact, opportunity in _of_contacts(matches):
        won = opportunity.won_at
        earliest = min(opportunity.created_at, won or opportunity.lost_at or opportunity.created_at)
        if before := told.get(contact):
            earliest = min(earliest, before.earliest)
            won = min(filter(None, (won, before.won)), default=None)
        told[contact] = PastDates(earliest, won)
    return told


def _of_contacts(matches: Sequence[OpportunityMatch]) -> Iterator[tuple[int, Opportunity]]:
    """Yield the contact's key with each opportunity that has one."""
    for opportunity in (found.opportunity for found in matches):
        if opportunity and opportunity.contact_id:
            yield opportunity.contact_id, opportunity


def move_contacts(moved: Sequence[OpportunityMatch], run: ImportRun, scratch: Scratch, by: Actor) -> DerivedChanges:
    """Win locked contacts of won opportunities, and lose those with only lost ones.

    From Lead and Qualified without guards (DESIGN 1.1), from other stages only with an override reason; also from Lost
    if only a file had set it, without knowing these opportunities.
    """
    derived = DerivedChanges()
    for kind, verb, to in ((StageKind.WON, "win", "customer"), (StageKind.LOST, "lose", "lost")):
        closed = [found for found in moved if found.opportunity and found.opportunity.stage_kind == kind]
        if kind == StageKind.LOST:
            closed = _left_with_nothing(closed, scratch)
        dated = _dated(closed, to, run)
        severity = "warning" if run.override_reason else ""
        how: dict[str, Any] = {"by": by, "reason": run.override_reason, "severity": severity}
        if to == "customer":
            leads = [each._replace(to="qualified") for each in dated if each.record.lifecycle_stage == "lead"]
            move_rows(LIFECYCLE, leads, verb="qualify", event="contact.qualified", **how)
        move_rows(LIFECYCLE, dated, verb=verb, event=LIFECYCLE.by_verb[verb].event, **how)
        label = _("Contacts moved to {stage}").format(stage=LIFECYCLE.value(to).label)
        derived.add(label, [each.record.pk for each in dated])
    _take_up_again([found for found in moved if found.opportunity and found.opportunity.is_open], derived, by)
    return derived


def _dated(closed: Sequence[OpportunityMatch], to: str, run: ImportRun) -> list[DatedMove]:
    """Return one move per contact, at the earliest time."""
    first: dict[int, datetime] = {}
    for contact, opportunity in _of_contacts(closed):
        at = opportunity.stage_since
        first[contact] = min(at, first.get(contact, at))
    people = lock_contacts(first) if first else {}
    from_anywhere = bool(run.override_reason) and to == "customer"
    premature = _lost_by_imports(people) if to == "customer" else {}
    return [
        DatedMove(contact, to, first[pk], {})
        for pk, contact in people.items()
        if contact.lifecycle_stage in PROSPECTS or pk in premature or (from_anywhere and contact.lifecycle_stage != to)
    ]


def _take_up_again(matches: Sequence[OpportunityMatch], derived: DerivedChanges, by: Actor) -> None:
    """Return contacts lost by a file that knew only lost opportunities to their earlier stage."""
    people = lock_contacts({found.opportunity.contact_id for found in matches if found.opportunity}) if matches else {}
    before = _lost_by_imports(people)
    back = [DatedMove(people[pk], stage, people[pk].lifecycle_stage_since, {}) for pk, stage in before.items()]
    move_rows(LIFECYCLE, back, verb="import", event="contact.updated", by=by)
    derived.add(_("Contacts no longer Lost"), before)


def _lost_by_imports(people: Mapping[int, Contact]) -> dict[int, str]:
    """Map contacts that an import lost, without a later move, to their earlier stage."""
    lost = {pk: contact.lifecycle_stage_since for pk, contact in people.items() if contact.lifecycle_stage == "lost"}
    moves = Transition.objects.filter(entity="contact", axis=LIFECYCLE.field, to_value="lost", verb="lose")
    moves = moves.filter(channel=Channel.IMPORT, undone_by__isnull=True, from_value__in=PROSPECTS)
    found = moves.filter(record_id__any_of=list(lost)).values_list("record_id", "from_value", "at") if lost else ()
    return {pk: stage for pk, stage, at in found if at == lost[pk]}


def _left_with_nothing(lost: Sequence[OpportunityMatch], scratch: Scratch) -> list[OpportunityMatch]:
    ids = [contact for contact, _opportunity in _of_contacts(lost)]
    others = Opportunity.objects.live().exclude(stage_kind=StageKind.LOST)
    busy = set(others.filter(contact__id__any_of=ids).values_list("contact", flat=True)) if ids else set()
    texts = {found.row.line: contact_keys(found.row.own.get("contact", "")) for found in lost}
    coming = scratch.mentioned(f"in play {key}" for keys in texts.values() for key in keys)  # not a text
    return [
        found
        for found in lost
        if found.opportunity
        and found.opportunity.contact_id not in busy
        and not coming & {f"in play {key}" for key in texts[found.row.line]}  # not a text
    ]
