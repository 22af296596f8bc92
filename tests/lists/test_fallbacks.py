"""Invalid parts of a list's URL are never ignored: the list would then include all records."""

import re
from html import unescape

import pytest
from django.urls import reverse

from contacts.models import Company, Contact
from crm.campaigns.models import Campaign
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.entities.registry import get
from crm.lists.models import SavedView
from crm.lists.spec import spec_of
from crm.lists.verbs.delete_view import delete_view
from crm.lists.verbs.save_view import save_view
from crm.opportunities.models import Opportunity
from leads.models import Lead
from tests.factories import make_company, make_contact, make_opportunity

ENTITIES = {"contact": Contact, "company": Company, "lead": Lead, "opportunity": Opportunity}
UNREADABLE = {
    "an unknown view": "view=no-such-view",
    "somebody else's view": "view=private",
    "an unknown field in the query": "view=all&where=shoe+%3D+43",
    "half a query": "view=all&where=%28",
    "an unknown sort": "view=all&sort=-shoe",
    "an unknown filter": "view=all&stauts=lead",
    "an unknown value of a filter": "view=all&owner=x",
    "a change that is no id": "view=all&change=1",
}


@pytest.fixture
def records(acme, actor):
    """Create two of each record, and a rep's own view of each list."""
    for name in ("Ada", "Bo"):
        make_opportunity(f"{name}'s deal", contact=make_contact(name))
        make_company(f"{name} Ltd")
    for entity in ENTITIES:
        save_view(entity, "Private", by=actor("rep"))


def confirmed(client, entity: str, query: str, action: str = "delete", **values):
    """Run a bulk action on everything that matches, and confirm it with the number shown."""
    facts = {"action": action, "query": query, "everything": 1}
    asked = client.post(f"/{get(entity).path}/bulk", facts, follow=True).content.decode()
    number = re.search(r'name="confirmed" value="(\d+)"', asked)
    facts |= {"confirm": 1, "reason": "x", "confirmed": number[1] if number else 2} | values
    return client.post(f"/{get(entity).path}/bulk", facts, follow=True)


@pytest.mark.parametrize("entity", ENTITIES)
def test_what_cannot_be_read_has_no_rows_and_says_why(records, sign_in, entity):
    manager, path, model = sign_in("manager"), get(entity).path, ENTITIES[entity]
    assert len(manager.get(f"/{path}?view=all").context["page"].found) == 2
    for name, query in UNREADABLE.items():
        shown = manager.get(f"/{path}?{query}")
        assert (shown.status_code, shown.context["page"].found) == (200, []), name
        assert unescape(shown.context["state"].error) in unescape(shown.content.decode()), name
        assert shown.context["state"].error, name
        assert (
            manager.get(f"/{path}/count?{query}", headers={"HX-Request": "true"}).content.decode().strip()
            == "<span>0</span>"
        )
        told = unescape(confirmed(manager, entity, query).content.decode())
        assert model.objects.live().count() == 2, name
        assert shown.context["state"].error in told, name
        if entity in ("lead", "opportunity"):
            board = manager.get(f"/{path}/board?{query}")
            assert not any(column.cards for column in board.context["columns"]), name
        if entity != "company":  # companies are not exported
            assert manager.get(reverse(f"{entity}_export") + f"?{query}").status_code == 422, name


def test_an_export_does_not_leave_out_a_column_that_is_gone(records, sign_in):
    refused = sign_in("manager").get("/contact/export?view=all&columns=name,shoe")
    assert refused.status_code == 422
    assert "There’s no column “shoe”" in unescape(refused.content.decode())


def test_a_view_that_is_deleted_before_the_confirmation_changes_nothing(records, actor, sign_in):
    save_view("contact", "Adas", by=actor("manager"), condition="name = Ada", shared=True)
    manager = sign_in("manager")
    asked = manager.post("/contact/bulk", {"action": "delete", "query": "view=adas", "everything": 1})
    assert asked.context["total"] == 1
    delete_view("contact", "adas", by=actor("admin"))
    facts = {"action": "delete", "query": "view=adas", "everything": 1, "confirm": 1, "reason": "x", "confirmed": 1}
    told = manager.post("/contact/bulk", facts, follow=True).content.decode()
    assert "There’s no view “adas”" in told
    assert Contact.objects.live().count() == 2


@pytest.mark.parametrize("number", ["1", "", "x"])
def test_another_number_than_the_confirmed_one_asks_again(records, sign_in, number):
    manager = sign_in("manager")
    again = confirmed(manager, "contact", "view=all", confirmed=number)
    assert Contact.objects.live().count() == 2
    assert again.context["total"] == 2
    assert ("2 records match now, not 1" in again.content.decode()) == (number == "1")
    assert 'name="confirmed" value="2"' in again.content.decode()
    confirmed(manager, "contact", "view=all")
    assert Contact.objects.live().count() == 0


def test_ticked_records_that_are_gone_meanwhile_ask_again(records, sign_in):
    manager, ada = sign_in("manager"), Contact.objects.get(name="Ada")
    facts = {"action": "delete", "query": "view=all", "selected": [ada.public_id, "contact_000000000"]}
    manager.post("/contact/bulk", facts | {"confirm": 1, "reason": "x", "confirmed": 2})
    assert Contact.objects.live().count() == 2
    manager.post("/contact/bulk", facts | {"confirm": 1, "reason": "x", "confirmed": 1})
    assert Contact.objects.live().count() == 1


def test_what_asks_nothing_is_confirmed_too_when_it_is_about_everything(records, sign_in):
    manager = sign_in("manager")
    confirmed(manager, "contact", "view=all")
    facts = {"action": "restore", "query": "view=trash", "everything": 1}
    assert manager.post("/contact/bulk", facts).context["total"] == 2
    assert Contact.objects.live().count() == 0
    manager.post("/contact/bulk", facts | {"confirm": 1, "confirmed": 2})
    assert Contact.objects.live().count() == 2


def test_a_list_that_cannot_be_read_is_not_saved_as_a_view(records, sign_in):
    response = sign_in("manager").post("/contact/view?view=no-such-view", {"name": "Mine"})
    assert response.status_code == 422
    assert not SavedView.objects.filter(name="Mine").exists()


def test_a_campaign_is_sent_to_the_number_that_was_confirmed(records, actor, sign_in):
    Contact.objects.filter(name="Ada").update(marketing_consent="yes")
    save_view("contact", "Named", by=actor("manager"), condition="name is not empty", shared=True)
    facts = {"name": "Spring", "segment": "named", "subject": "Hello", "body": "Hello"}
    made, manager = save_campaign(None, facts, by=actor("manager")), sign_in("manager")
    url = f"{made.get_absolute_url()}/send"
    assert 'name="confirmed" value="1"' in manager.get(url).content.decode()
    Contact.objects.filter(name="Bo").update(marketing_consent="yes")
    again = manager.post(url, {"confirmed": 1}).content.decode()
    assert "The number of recipients changed from 1 to 2" in again
    assert Campaign.objects.get().status == "draft"
    manager.post(url, {"confirmed": 2})
    assert Campaign.objects.get().status == "sending"
    assert manager.get(f"{made.get_absolute_url()}?state=nobody").status_code == 404


def test_pages_around_have_no_rows_either(records, sign_in):
    manager = sign_in("manager")
    for query in ("kind=no-such", "owner=99999999", "owner=x"):
        assert manager.get(f"/exceptions?{query}").context["page"].lines == [], query
    dashboard = unescape(manager.get("/dashboard?parts=all&split=shoe&where=shoe+%3D+43").content.decode())
    assert "This filter doesn’t apply here." in dashboard
    assert "Leads can’t be broken down by “shoe”" in unescape(
        manager.get("/dashboard/part/funnel?split=shoe").content.decode()
    )


def test_every_list_has_a_view_of_all_to_go_back_to():
    assert all("all" in {view.slug for view in spec_of(entity).views} for entity in ENTITIES)
