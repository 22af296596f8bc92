"""Snoozed records are not stuck until their day."""

from datetime import timedelta

import pytest

from audit.models import Entry
from contacts.models import Contact
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.errors import Invalid
from crm.lifecycle.models import Wait
from crm.lifecycle.verbs.wait import wait
from tests.factories import make_contact, rows


def waiting() -> set[str]:
    condition = parse("waiting = yes", "contact").expression(Viewer(), clock.now())
    return set(Contact.objects.filter(condition).values_list("name", flat=True))


def test_a_wait_ends_by_itself(acme, cast, actor):
    ana, now = make_contact("Ana", owner=cast.rep), clock.now()
    make_contact("Bo")
    done = wait(rows(ana), by=actor("rep"), reason="Their budget is decided then", until=now + timedelta(days=3))
    assert done.done == [ana.pk]
    assert waiting() == {"Ana"}
    with clock.at(now + timedelta(days=4)):
        assert waiting() == set()


def test_to_wait_again_says_anew(acme, cast, actor):
    ana, now = make_contact("Ana", owner=cast.rep), clock.now()
    for days, reason in ((3, "Budget"), (9, "Holiday")):
        wait(rows(ana), by=actor("rep"), reason=reason, until=now + timedelta(days=days))
    assert Wait.objects.get().reason == "Holiday"
    events = Entry.objects.filter(entity="wait").order_by("id").values_list("event", flat=True)
    assert list(events) == ["wait.created", "wait.updated"]


def test_nobody_lets_wait_what_they_may_not_change(acme, cast, actor):
    ana = make_contact("Ana", owner=cast.outsider)
    done = wait(rows(ana), by=actor("rep"), reason="x", until=clock.now() + timedelta(days=3))
    assert list(done.refused) == [ana.pk]
    assert not Wait.objects.exists()


@pytest.mark.parametrize(("reason", "days"), [(" ", 3), ("x", -1), ("x", 400)])
def test_a_wait_has_a_reason_and_a_day_to_come(acme, actor, reason, days):
    with pytest.raises(Invalid):
        wait(rows(make_contact()), by=actor("manager"), reason=reason, until=clock.now() + timedelta(days=days))


def test_the_page_lets_one_record_wait(acme, cast, sign_in):
    ana = make_contact("Ana", owner=cast.rep)
    day = (clock.now() + timedelta(days=5)).date().isoformat()
    url = f"/lifecycle/contact/wait/{ana.public_id}/until"
    assert sign_in("rep").post(url, {"reason": "", "until": day}).status_code == 422
    assert sign_in("rep").post(url, {"reason": "Budget", "until": day}).status_code == 302
    assert waiting() == {"Ana"}
