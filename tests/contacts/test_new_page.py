"""Adding a record by form, and its page."""

import re
from html import unescape

import pytest

from contacts.engagement import NewEngagement
from contacts.models import Contact
from contacts.verbs.create import create
from contacts.verbs.engage import engage
from crm.kit import clock
from crm.kit.errors import AlreadyTaken, Invalid
from crm.lifecycle.models import Guard, Transition
from crm.lifecycle.verbs.save_guard import save_guard
from leads.models import Lead
from leads.verbs.lose_leads import lose_leads
from tests.factories import make_company, make_contact, make_opportunity, rows
from tests.leads.factories import score

pytestmark = pytest.mark.once


def told(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", unescape(response.content.decode())))


def test_a_customer_met_in_person_is_added_as_one(acme, sign_in):
    rep = sign_in("rep")
    form = rep.get("/contact/new").context["form"]
    assert form["lifecycle_stage"].value() == "lead"
    rep.post("/contact/new", {"name": "Ada Lim", "lifecycle_stage": "customer"})
    ada = Contact.objects.get()
    assert ada.lifecycle_stage == "customer"
    first = Transition.objects.get(entity="contact", axis="lifecycle_stage")
    assert (first.from_value, first.to_value, first.verb) == ("", "customer", "create")
    assert not Lead.objects.exists()
    rep.post("/contact/new", {"name": "Bo Berg", "lifecycle_stage": ""})
    assert Contact.objects.get(name="Bo Berg").lifecycle_stage == "lead"
    assert rep.post("/contact/new", {"name": "Cem", "lifecycle_stage": "vip"}).status_code == 422


def test_there_is_no_stage_that_the_axis_does_not_have(acme, actor):
    with pytest.raises(Invalid, match="“vip” isn’t a lifecycle stage"):
        create([{"name": "Cem"}], by=actor("rep"), stage="vip")


@pytest.mark.parametrize(("entity", "make"), [("contact", make_contact), ("company", make_company)])
def test_a_duplicate_is_named_and_linked_to_whoever_sees_it(entity, make, acme, cast, sign_in):
    first = make("Ada Lim", external_id="A-1", owner=cast.rep, team=cast.iberia)
    again = {"name": "Twin", "external_id": "A-1"}
    seen = sign_in("mate").post(f"/{entity}/new", again).content.decode()
    assert f'already exists: <a class="link" href="{first.get_absolute_url()}">Ada Lim</a>.' in seen
    hidden = sign_in("outsider").post(f"/{entity}/new", again).content.decode()
    assert "A record with this external ID already exists." in hidden
    assert "Ada Lim" not in hidden
    other = make("Bo", owner=cast.mate, team=cast.iberia)
    edited = sign_in("mate").post(f"{other.get_absolute_url()}/field/external_id", {"external_id": "A-1"})
    assert (edited.status_code, "Ada Lim</a>." in edited.content.decode()) == (422, True)


def test_an_address_names_its_owner_and_one_of_two_new_ones_nobody(acme, actor):
    make_contact("Ada Lim", email="ada@x.example")
    with pytest.raises(AlreadyTaken, match=r"A record with this email already exists: Ada Lim\."):
        create([{"name": "Twin", "email": "ADA@x.example"}], by=actor("rep"))
    with pytest.raises(AlreadyTaken, match=r"A record with this email or external ID already exists\."):
        create([{"name": "Bo", "email": "b@x.example"}, {"name": "Bee", "email": "b@x.example"}], by=actor("rep"))


def test_the_edit_form_shows_a_move_that_its_guard_refuses_with_the_reason(acme, cast, actor, sign_in):
    facts = {"entity": "contact", "verb": "qualify", "condition": "title is not empty", "message": "Title needed"}
    save_guard(Guard(**facts), by=actor("admin"))
    contact = make_contact(owner=cast.rep)
    page = sign_in("rep").get(f"{contact.get_absolute_url()}/edit").content.decode()
    assert '<option value="qualify" disabled>Qualified: Title needed</option>' in page
    assert '<option value="lose">Lost</option>' in page


def test_the_page_shows_names_last_activity_and_engagement_and_the_badge_beside_the_name(acme, cast, actor, sign_in):
    contact = make_contact("Ada", first_name="Ada", last_name="Lim", owner=cast.rep)
    engage([NewEngagement(contact.pk, "page_viewed", clock.now())], by=actor("manager"))
    response = sign_in("rep").get(contact.get_absolute_url())
    text = told(response)
    for label in ("First name Ada", "Last name Lim", "Last engagement", "Last activity"):
        assert label in text
    title = re.search(r'<div class="record-title">(.*?)</details>', response.content.decode(), re.DOTALL)
    assert title and ">Lead</span>" in title[1]


def test_the_score_of_a_closed_lead_stays_on_the_contact_s_page(acme, cast, actor, sign_in):
    contact = make_contact(owner=cast.rep)
    lead = Lead.objects.get(contact=contact)
    score(lead, 412)
    lose_leads(rows(lead), by=actor("rep"), reason="Price")
    assert "41.2" in told(sign_in("rep").get(contact.get_absolute_url()))


def test_what_was_won_and_lost_stays_on_the_pages_of_contact_and_company(acme, cast, sign_in):
    company = make_company("Metro Cabs", owner=cast.rep)
    contact = make_contact("Ada", company=company, owner=cast.rep)
    for name, stage in (("First", "won"), ("Second", "lost"), ("Third", "proposal")):
        make_opportunity(name, stage=stage, contact=contact, company=company, owner=cast.rep)
    for record in (contact, company):
        text = told(sign_in("rep").get(record.get_absolute_url()))
        panel = text[text.index("Opportunities", text.index("Third") - 80) :]
        assert "Won" in panel and "Lost" in panel
        assert panel.index("Third") < panel.index("Second") < panel.index("First") or panel.index("Third") < min(
            panel.index("First"), panel.index("Second")
        )
