"""People on an opportunity: added with a role, made primary, removed, merged, found."""

import pytest

from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.merge import merge
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.errors import Invalid
from crm.opportunities.models import Opportunity, OpportunityContact
from crm.opportunities.verbs.add_person import add_person
from crm.opportunities.verbs.edit_person import edit_person
from crm.opportunities.verbs.make_primary import make_primary
from crm.opportunities.verbs.remove_person import remove_person
from crm.records.verbs.edit import edit
from tests.factories import make_activity, make_contact, make_opportunity, rows
from tests.threads import at_once


@pytest.fixture
def deal(acme) -> Opportunity:
    return make_opportunity("Deal", contact=make_contact("Ana"))


def add(deal, name, actor, role="champion") -> OpportunityContact:
    person = make_contact(name)
    add_person(rows(deal), person, role=role, by=actor("manager")).or_raise()
    return OpportunityContact.objects.get(opportunity=deal, contact=person, deleted_at=None)


def on(deal) -> dict[str, str]:
    """Return the name and role of each person besides the primary one."""
    people = OpportunityContact.objects.filter(opportunity=deal, deleted_at=None)
    return dict(people.values_list("contact__name", "role"))


def test_a_person_is_added_changed_and_removed_and_each_is_undone(deal, actor):
    bo = add(deal, "Bo", actor)
    edit_person(rows(bo), role="blocker", by=actor("manager"))
    assert on(deal) == {"Bo": "blocker"}
    by = actor("manager")
    remove_person(rows(bo), by=by)
    assert on(deal) == {}
    undo(by.change, by=actor("manager"))
    assert on(deal) == {"Bo": "blocker"}


def test_adding_is_undone(deal, actor):
    by = actor("manager")
    add_person(rows(deal), make_contact("Bo"), by=by)
    undo(by.change, by=actor("manager"))
    assert on(deal) == {}


def test_nobody_is_on_it_twice_and_only_people_that_one_sees(deal, actor, cast):
    bo = add(deal, "Bo", actor)
    again = add_person(rows(deal), bo.contact, by=actor("manager"))
    assert again.refused == {deal.pk: "Bo is already on this opportunity."}
    assert add_person(rows(deal), deal.contact, by=actor("manager")).done == []
    hidden = make_contact("Hidden", team=cast.nordics)
    with pytest.raises(Invalid):
        add_person(rows(deal), hidden, by=actor("rep"))
    with pytest.raises(Invalid):
        add_person(rows(deal), make_contact("Cy"), role="king", by=actor("manager"))


def test_the_primary_contact_is_exchanged(deal, actor):
    bo = add(deal, "Bo", actor)
    by = actor("manager")
    make_primary(rows(bo), by=by)
    deal.refresh_from_db()
    assert (deal.contact.name, on(deal)) == ("Bo", {"Ana": ""})
    undo(by.change, by=actor("manager"))
    deal.refresh_from_db()
    assert (deal.contact.name, on(deal)) == ("Ana", {"Bo": "champion"})


def test_a_merge_moves_people_once_and_an_unmerge_puts_them_back(deal, actor):
    bo, cy = add(deal, "Bo", actor), add(deal, "Cy", actor, role="user")
    by = actor("manager")
    merge(bo.contact, Contact.objects.filter(pk=cy.contact_id), by=by)
    assert on(deal) == {"Bo": "champion"}
    undo(by.change, by=actor("manager"))
    assert on(deal) == {"Bo": "champion", "Cy": "user"}
    merge(deal.contact, Contact.objects.filter(pk=cy.contact_id), by=actor("manager"))
    assert on(deal) == {"Bo": "champion"}  # the survivor is the primary contact


def test_conditions_find_opportunities_by_their_people(deal, actor):
    add(deal, "Bo", actor)
    other = make_opportunity("Other")

    def found(text):
        expression = parse(text, "opportunity").expression(Viewer(None, None), clock.now())
        return set(Opportunity.objects.filter(expression).values_list("name", flat=True))

    assert found("any people (role = champion)") == {"Deal"}
    assert found("people is empty") == {other.name}


def test_the_page_has_the_people_and_their_forms(deal, sign_in, cast):
    manager, bo = sign_in("manager"), make_contact("Bo Lund")
    url = f"/opportunity/{deal.public_id}/people"
    assert manager.post(url, {"contact": f"Bo Lund ({bo.public_id})", "role": "champion"}).status_code == 302
    page = manager.get(deal.get_absolute_url()).content.decode()
    assert "Primary contact" in page
    assert "Bo Lund" in page
    assert "Champion" in page
    person = OpportunityContact.objects.get()
    assert manager.post(f"{url}/{person.pk}", {"do": "primary", "role": "champion"}).status_code == 302
    assert Opportunity.objects.get(pk=deal.pk).contact == bo
    assert manager.post(url, {"contact": "Nobody", "role": ""}).status_code == 422
    left = OpportunityContact.objects.get(deleted_at=None)
    assert manager.post(f"{url}/{left.pk}", {"do": "remove"}).status_code == 302
    assert on(deal) == {}


def test_of_people_that_one_does_not_see_there_is_only_the_name(deal, actor, sign_in, cast):
    hidden = make_contact("Hidden Person", team=cast.nordics, email="hidden@x.example")
    add_person(rows(deal), hidden, by=actor("manager"))
    page = sign_in("rep").get(deal.get_absolute_url()).content.decode()
    assert "Hidden Person" in page
    assert hidden.public_id not in page


def test_winning_offers_to_win_the_others_too(deal, actor, sign_in):
    bo, cy = add(deal, "Bo", actor), add(deal, "Cy", actor)
    manager, url = sign_in("manager"), f"/opportunity/{deal.public_id}/win"
    assert "These people become customers too" in manager.get(url).content.decode()
    assert f'href="{url}"' in manager.get(deal.get_absolute_url()).content.decode()
    assert manager.post(url, {"people": [bo.contact_id]}).status_code == 302
    stages = dict(Contact.objects.values_list("name", "lifecycle_stage"))
    assert stages == {"Ana": "customer", "Bo": "customer", "Cy": "lead"}
    assert cy.contact.lifecycle_stage == "lead"


def test_a_person_is_not_made_the_primary_contact_beside_themselves(deal, actor):
    bo = add(deal, "Bo", actor)
    with pytest.raises(Invalid, match="already on the opportunity"):
        edit(rows(deal), {"contact": bo.contact}, by=actor("manager"))
    by = actor("manager")
    merge(bo.contact, Contact.objects.filter(pk=deal.contact_id), by=by)  # the survivor becomes the primary contact
    deal.refresh_from_db()
    assert (deal.contact.name, on(deal)) == ("Bo", {})
    undo(by.change, by=actor("manager"))
    deal.refresh_from_db()
    assert (deal.contact.name, on(deal)) == ("Ana", {"Bo": "champion"})


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_made_primary_at_once_are_exchanged_one_after_the_other(deal, actor, acme):
    people = [add(deal, name, actor) for name in ("Bo", "Cy", "Dee")]
    chosen = [lambda person=person: make_primary(rows(person), by=actor("manager")) for person in people]
    _, errors = at_once(acme, chosen)
    assert errors == []
    primary = Opportunity.objects.get(pk=deal.pk).contact.name
    assert sorted([primary, *on(deal)]) == ["Ana", "Bo", "Cy", "Dee"]
    assert OpportunityContact.objects.live().count() == 3


@pytest.mark.parametrize("text", ["", " ", "\x01", "\u200b", "Nobody", "contact_000000000"])
def test_a_form_without_a_known_person_is_shown_again(deal, sign_in, text):
    """Control characters are no name."""
    meeting = make_activity(kind="meeting", contact=deal.contact)
    for page in (f"/opportunity/{deal.public_id}/people", f"/activity/{meeting.public_id}/participants"):
        assert sign_in("rep").post(page, {"contact": text}).status_code == 422
    facts = {"kind": "task", "subject": "x", "contact": text, "participant": text}
    assert sign_in("rep").post("/activity/new", facts).status_code == 422
