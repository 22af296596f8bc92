import pytest

from contacts.models import Contact
from contacts.verbs.set_status import set_status
from crm.kit.errors import Invalid
from tests.factories import make_contact, rows
from tests.log import assert_nothing_written, entries, moves

pytestmark = pytest.mark.once


def test_any_reachability_follows_any_other(open_contact, actor):
    before = "active"
    for to in ("inactive", "active", "bounced", "unsubscribed"):
        by = actor("rep")
        assert set_status(rows(open_contact), to, by=by, reason="mail came back").done == [open_contact.pk]
        assert moves(by) == [(open_contact.pk, "status", before, to, "set_status", "mail came back")]
        [entry] = [entry for entry in entries(by) if entry.entity == "contact" and entry.action == "UPDATE"][:1]
        assert (entry.event, entry.action, entry.note) == ("contact.status_changed", "UPDATE", "mail came back")
        assert (entry.old_values["status"], entry.new_values["status"]) == (before, to)
        assert Contact.objects.get().lifecycle_stage == "lead"
        before = to


def test_those_that_have_it_already_are_refused(acme, actor):
    active, bounced = make_contact(), make_contact(status="bounced")
    outcome = set_status(rows(active, bounced), "bounced", by=actor("rep"))
    assert (outcome.done, outcome.refused) == ([active.pk], {bounced.pk: "Already Bounced."})


def test_there_is_no_other_status(open_contact, actor):
    by = actor("manager")
    with pytest.raises(Invalid, match="“dead” isn’t a contact status"):
        set_status(rows(open_contact), "dead", by=by)
    assert_nothing_written(by)
