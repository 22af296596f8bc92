"""Errors in a record type are reported at startup, not on the first move."""

from dataclasses import replace

from crm.lifecycle.axes import Move
from crm.records import checks
from crm.records.registry import RECORD_TYPES


def test_the_product_s_own_kinds_are_whole():
    assert checks.kinds_of_record(None) == []


def test_what_is_missing_is_named(monkeypatch):
    kind = RECORD_TYPES["opportunity"]
    [axis] = kind.axes
    moves = (*axis.moves, Move("file", "File", ("won",), "filed", "opportunity.filed"))
    broken = replace(
        kind, axes=(replace(axis, field="phase", moves=moves),), entity=replace(kind.entity, prefix="deal")
    )
    monkeypatch.setattr(checks, "RECORD_TYPES", {"opportunity": broken})
    assert [message.msg for message in checks.kinds_of_record(None)] == [
        "The model has no field 'phase', which the axis needs.",
        "The model has no field 'phase_since', which the axis needs.",
        "The move 'file' records 'opportunity.filed', which no RecordType declares in `events`.",
        "Its public ids begin with 'opp', the entity says 'deal'.",
    ]
