"""Conditions on a record's moves: by value and day, per axis, without undone ones."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.lose import lose
from contacts.verbs.override import override
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit import clock
from tests.factories import make_contact, rows

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def found(text: str) -> set[str]:
    condition = parse(text, "contact")
    again = parse(condition.key_text, "contact")
    assert again == condition
    assert parse(condition.label_text, "contact") == condition
    return set(Contact.objects.filter(condition.expression(Viewer(), clock.now())).values_list("name", flat=True))


@pytest.fixture
def moved(acme, actor):
    """Move Ana: lead on 1 March, qualified on the 11th, customer on the 21st. Bo: lost on the 11th."""
    with clock.at(START):
        ana, bo = make_contact("Ana"), make_contact("Bo")
    with clock.at(START + timedelta(days=10)):
        override(rows(ana), to="qualified", by=actor("manager"), reason="They fit")
        gone = lose(rows(bo), by=actor("manager"), reason="Price")
    with clock.at(START + timedelta(days=20)):
        override(rows(ana), to="customer", by=actor("manager"), reason="They bought")
    return gone.change


def test_who_entered_a_stage_in_a_period(moved):
    assert found("any lifecycle_stage_moves (to = Qualified)") == {"Ana"}
    within = "to = Qualified and moved_at >= {} and moved_at <= {}"
    assert found(f"any lifecycle_stage_moves ({within.format('2026-03-11', '2026-03-11')})") == {"Ana"}
    assert found(f"any lifecycle_stage_moves ({within.format('2026-03-12', '2026-03-31')})") == set()


def test_who_moved_from_one_stage_to_another(moved):
    assert found("any lifecycle_stage_moves (from = Qualified and to = Customer)") == {"Ana"}
    assert found("any [Lifecycle Stage moves] (from = Lead and to = Customer)") == set()


def test_who_stood_at_a_stage_on_a_day(moved):
    stood = "from = Lead and entered < {0} and moved_at >= {0}"
    assert found(f"any lifecycle_stage_moves ({stood.format('2026-03-05')})") == {"Ana", "Bo"}
    assert found(f"any lifecycle_stage_moves ({stood.format('2026-03-12')})") == set()


def test_what_was_undone_counts_no_more(moved, actor):
    assert found('any lifecycle_stage_moves (to = Lost and reason = "Price")') == {"Bo"}
    undo(moved, by=actor("manager"))
    assert found("any lifecycle_stage_moves (to = Lost)") == set()


def test_the_moves_of_one_axis_are_not_those_of_another(moved):
    assert found("any status_moves (to = Active)") == {"Ana", "Bo"}
    with pytest.raises(Exception, match="Qualified"):
        parse("any status_moves (to = Qualified)", "contact")
