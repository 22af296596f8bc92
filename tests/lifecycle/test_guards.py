"""Guards are data (source 002): admins' guards apply to every verb, immediately and everywhere."""

import pytest

from contacts.axes import LIFECYCLE
from contacts.models import Contact
from contacts.moves import VERBS
from contacts.verbs.override import override
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.scope import in_workspace
from crm.lifecycle.guards import install_shipped, rules
from crm.lifecycle.models import Guard
from crm.lifecycle.offers import offers
from crm.lifecycle.verbs.save_guard import save_guard
from crm.records.verbs.edit import edit
from crm.users.models import Workspace
from tests.factories import make_contact, make_field, make_worthy, rows
from tests.log import assert_nothing_written, entries


@pytest.fixture
def guard(acme, actor):
    """`guard("qualify", "title is not empty", "Title needed")` saves that guard as an admin."""

    def write(verb, condition, message, **values):
        return save_guard(
            Guard(entity="contact", verb=verb, condition=condition, message=message, **values), by=actor("admin")
        )

    return write


def refused(verb, contact, by, reason="because"):
    outcome = VERBS[verb](rows(contact), by=by, reason=reason)
    return next(iter(outcome.refused.values()), "")


def offered(contact, by, verb="qualify"):
    return next(o for o in offers(contact, LIFECYCLE, by=by, editable=True) if o.move.verb == verb)


def test_a_new_workspace_asks_for_an_email_and_a_score_in_the_words_of_the_source(acme, actor):
    install_shipped()
    contact, by = make_contact(email=""), actor("rep")
    assert offered(contact, by).why_not == "Email required for qualification"
    assert refused("qualify", contact, by) == "Email required for qualification"
    assert_nothing_written(by)
    edit(rows(contact), {"email": "ana@metro.example"}, by=actor("rep"))
    contact = Contact.objects.get()
    assert offered(contact, by).why_not == refused("qualify", contact, by) == "Lead score too low"
    make_worthy(contact)
    assert offered(contact, by).allowed
    assert refused("qualify", contact, by) == ""


def test_an_override_passes_every_guard(acme, actor):
    install_shipped()
    contact = make_contact(email="")
    assert override(rows(contact), to="qualified", by=actor("manager"), reason="known").done == [contact.pk]


def test_a_guard_is_obeyed_at_once_and_no_longer_once_it_is_switched_off(guard, actor):
    contact = make_contact()
    assert offered(contact, actor("rep")).allowed
    written = guard("qualify", "title is not empty", "Title needed")
    assert refused("qualify", contact, actor("rep")) == offered(contact, actor("rep")).why_not == "Title needed"
    written.condition = "title = CFO"
    save_guard(written, by=actor("admin"))
    edit(rows(contact), {"title": "CEO"}, by=actor("rep"))
    assert refused("qualify", contact, actor("rep")) == "Title needed"
    written.is_active = False
    save_guard(written, by=actor("admin"))
    assert refused("qualify", contact, actor("rep")) == ""


def test_another_process_obeys_from_its_next_request_on(guard, acme):
    """It rereads the workspace, and the schema version invalidates its cache."""
    seen_by_the_other = Workspace.objects.get(pk=acme.pk)
    with in_workspace(seen_by_the_other):
        assert rules("contact") == ()
    guard("qualify", "title is not empty", "Title needed")
    with in_workspace(Workspace.objects.get(pk=acme.pk)):
        assert [rule.message for rule in rules("contact")] == ["Title needed"]


def test_the_first_that_fails_speaks_in_the_order_of_their_places(guard, actor):
    guard("qualify", "phone is not empty", "Phone needed", position=2)
    guard("qualify", "title is not empty", "Title needed", position=1)
    contact, by = make_contact(), actor("rep")
    assert refused("qualify", contact, by) == offered(contact, by).why_not == "Title needed"
    edit(rows(contact), {"title": "CFO"}, by=actor("rep"))
    assert refused("qualify", contact, by) == offered(contact, by).why_not == "Phone needed"


def test_guards_with_the_same_sentence_all_hold(guard, actor):
    guard("qualify", "title is not empty", "Not complete yet")
    guard("qualify", "phone is not empty", "Not complete yet")
    guard("partner", "department is not empty", "Not complete yet")
    contact, by = make_contact(phone="1"), actor("rep")
    assert refused("qualify", contact, by) == offered(contact, by).why_not == "Not complete yet"
    contact = make_contact(department="Board")
    assert offered(contact, by, "partner").allowed
    assert refused("partner", contact, by) == ""


def test_a_guard_holds_for_each_of_many(guard, actor):
    guard("qualify", "title is not empty", "Title needed")
    good, bad = make_contact(title="CFO"), make_contact()
    outcome = VERBS["qualify"](rows(good, bad), by=actor("rep"), reason="")
    assert (outcome.done, outcome.refused) == ([good.pk], {bad.pk: "Title needed"})


def test_me_is_whoever_moves(guard, cast, actor):
    guard("qualify", "owner = me", "Only the owner qualifies")
    contact = make_contact(owner=cast.rep, team=cast.iberia)
    assert refused("qualify", contact, actor("mate")) == "Only the owner qualifies"
    assert refused("qualify", contact, actor("rep")) == ""


def test_custom_fields_and_related_records_take_part(guard, actor):
    make_field("budget", "yes_no")
    guard("qualify", "budget = yes", "No budget")
    contact = make_contact()
    assert refused("qualify", contact, actor("rep")) == "No budget"
    edit(rows(contact), {"budget": "yes"}, by=actor("rep"))
    assert refused("qualify", contact, actor("rep")) == ""


def test_the_evidence_shows_each_leaf_with_its_value(guard, actor):
    guard("qualify", "title is not empty and source = Webinar", "Not yet")
    contact = make_contact(title="CFO", source="Chat")
    evidence = {line.text: (line.ok, line.value) for line in offered(contact, actor("rep")).evidence if not line.group}
    assert evidence == {"Title is not empty": (True, "CFO"), "Source is Webinar": (False, "Chat")}


def test_one_statement_explains_every_guard(guard, actor, django_assert_num_queries):
    contact, by = make_contact(), actor("manager")
    for verb in ("qualify", "lose", "partner"):
        guard(verb, "title is not empty", f"{verb} needs a title")
    rules("contact")
    with django_assert_num_queries(1):
        assert sum(not offer.allowed for offer in offers(contact, LIFECYCLE, by=by, editable=True)) >= 3


@pytest.mark.parametrize(
    "values, errors",
    [
        (
            {"verb": "fly"},
            {
                "verb": "“fly” isn’t an action of this type of record. "
                "Choose from churn, lose, override, partner, qualify, reopen, set_status, suppression, win."
            },
        ),
        ({"message": " "}, {"message": "Enter an error message."}),
        ({"condition": " "}, {"condition": "Enter a condition, e.g. email is not empty."}),
        ({"message": "M" * 201}, {"message": "Enter up to 200 characters."}),
        (
            {"entity": "ship"},
            {"verb": "Records of type “ship” have no stages.", "entity": "“ship” isn’t a type of record."},
        ),
    ],
)
def test_a_guard_that_makes_no_sense_is_refused(values, errors, guard, actor):
    with pytest.raises(Invalid) as error:
        save_guard(
            Guard(**{"entity": "contact", "verb": "qualify", "condition": "title = x", "message": "M"} | values),
            by=actor("admin"),
        )
    assert error.value.errors == errors
    assert not Guard.objects.exists()


def test_a_condition_that_cannot_be_read_is_refused_with_the_nearest_field(guard):
    with pytest.raises(Invalid, match="Did you mean “Title”"):
        guard("qualify", "titel = x", "M")


@pytest.mark.parametrize("who", ["viewer", "rep", "manager"])
def test_only_admins_write_guards(who, acme, actor):
    with pytest.raises(NotAllowed):
        save_guard(Guard(entity="contact", verb="qualify", condition="title = x", message="M"), by=actor(who))
    assert not Guard.objects.exists()


def test_changes_of_guards_are_audited_as_security(guard, actor):
    written = guard("qualify", "title is not empty", "Title needed")
    written.message = "Needs a title"
    by = actor("admin")
    save_guard(written, by=by)
    [entry] = entries(by)
    assert (entry.event, entry.category) == ("guard.updated", "security")
    assert (entry.old_values, entry.new_values) == ({"message": "Title needed"}, {"message": "Needs a title"})
