"""Conversion of leads, by a member or by an import.

Why: docs/decisions/0007-conversion-is-one-entry.md
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from crm.kit.actor import Actor
from crm.lifecycle.dated_moves import DatedMove, move_rows, write_transitions
from leads.axes import STAGE, STATUS
from leads.models import Lead

LONGEST = 60  # characters of the description in a name


class Converted(NamedTuple):
    """A lead (locked), its opportunity, and the time of conversion."""

    lead: Lead
    opportunity: int
    at: datetime


def proposal(lead: Lead) -> dict[str, Any]:
    """Return the default opportunity of a lead: values for opportunities' create.

    Its owner and its contact with company must be loaded.
    """
    topic = lead.source or " ".join(lead.description.split())
    topic = f"{topic[:LONGEST].rstrip()}…" if len(topic) > LONGEST else topic
    name = ", ".join(filter(None, (str(lead.contact.company or lead.contact), topic)))
    owner = lead.owner_id if lead.owner and lead.owner.is_active else None
    facts = {"name": name[:200], "contact": lead.contact_id, "source": lead.source, "currency": lead.currency}
    return facts | {key: value for key, value in (("amount", lead.estimated_value), ("owner", owner)) if value}


def convert_each(converted: Sequence[Converted], *, by: Actor, reason: str = "", severity: str = "") -> None:
    """Move leads to Converted and stage Opportunity, each with one entry for both, and link them.

    A few statements for any number, bypassing guards: the caller has decided.
    """
    moved = [DatedMove(lead, "converted", at, _also(opportunity, at)) for lead, opportunity, at in converted]
    write_transitions(STAGE, [each._replace(to="opportunity") for each in moved], verb="convert", by=by, reason=reason)
    move_rows(STATUS, moved, verb="convert", event="lead.converted", by=by, reason=reason, severity=severity)


def _also(opportunity: int, at: datetime) -> Mapping[str, Any]:
    return {"stage": "opportunity", "stage_since": at, "converted_date": at, "opportunity": opportunity}
