"""The list page in use: views, filters, search, bulk actions, and visibility."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlparse

import pytest
from django.utils import timezone

from contacts.entities import CONTACT
from contacts.models import Contact
from crm.conditions.operands import operators
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.kit import clock
from crm.kit.errors import NotAllowed, Refused
from crm.kit.timelimit import TooSlow
from crm.lists import paging as list_rows
from crm.lists import views
from crm.lists.models import SavedView
from crm.lists.verbs.delete_view import delete_view
from crm.lists.verbs.save_view import save_view
from crm.records.verbs.delete import delete
from tests.factories import make_company, make_contact, make_field, rows
from tests.log import written


def names(response) -> set[str]:
    assert response.status_code == 200
    return {row[3] for row in response.context["page"].found}  # after pk, public id and sort value


def listed(client, **params) -> set[str]:
    return names(client.get("/contact", {"view": "all"} | params))


def messages(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def bulk(client, action: str, *people, follow=True, **values):
    """Run a bulk action, confirmed with the page's record count for everything."""
    data = {"action": action, "selected": [p.public_id for p in people], "query": "view=all"} | values
    if "everything" in values:
        asked = client.post("/contact/bulk", data)
        data["confirmed"] = asked.context["total"] if asked.context else 0
    return client.post("/contact/bulk", {"confirm": 1} | data, follow=follow)


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


class TestBuiltInViews:
    @pytest.fixture(autouse=True)
    def people(self, acme, cast):
        with clock.at(timezone.now() - timedelta(days=91)):
            make_contact("Old lost", stage="lost")
        make_contact("Fresh lost", stage="lost")
        for stage in ("lead", "qualified", "customer", "churned", "partner"):
            make_contact(stage.title(), stage=stage, owner=cast.manager)
        make_contact("Their customer", stage="customer", owner=cast.rep)

    @pytest.mark.parametrize(
        "view, who, expected",
        [
            ("contacts_leads", "manager", {"Lead", "Qualified"}),
            ("my_customers", "manager", {"Customer"}),
            ("my_customers", "rep", {"Their customer"}),
            ("lost_reapproach", "manager", {"Old lost"}),
        ],
    )
    def test_each_lists_what_its_name_says(self, view, who, expected, sign_in):
        assert names(sign_in(who).get("/contact", {"view": view})) == expected

    def test_active_leads_is_the_first(self, manager):
        assert names(manager.get("/contact")) == {"Lead", "Qualified"}

    def test_the_lead_page_of_old_says_active_leads_by_label(self, manager):
        page = unescape(manager.get("/contact?view=contacts_leads").content.decode())
        assert "Active Leads" in page
        assert "Lifecycle Stage" in page

    def test_a_condition_in_the_url_replaces_the_views(self, manager):
        assert listed(manager, view="contacts_leads", where="stage = Partner") == {"Partner"}

    def test_a_chip_can_be_taken_away(self, manager):
        response = manager.get("/contact", {"where": "stage = Customer and owner = me"})
        stage, owner = response.context["chips"]
        assert (stage["chip"].field, owner["chip"].value) == ("Lifecycle Stage", "me")
        assert names(manager.get(owner["without"])) == {"Customer", "Their customer"}


class TestSearch:
    @pytest.fixture(autouse=True)
    def people(self, acme):
        company = make_company("Metro Cabs")
        make_contact("Tomás Ortega", email="t.ortega@ruta.example", phone="+34 600 100 200")
        make_contact("Lina Kamal", mobile="(030) 555-12", company=company)
        make_contact("100% Fleet_Co", email="")
        make_contact("Ana Ruiz")

    @pytest.mark.parametrize(
        "text, found",
        [
            ("tomas", {"Tomás Ortega"}),
            ("  ORTEGA   tomás ", {"Tomás Ortega"}),
            ("ortega@RUTA", {"Tomás Ortega"}),
            ("metro", {"Lina Kamal"}),
            ("lina metro", {"Lina Kamal"}),
            ("lina ruta", set()),
            ("600100", {"Tomás Ortega"}),
            ("+34 600 100 200", {"Tomás Ortega"}),
            ("600-100", {"Tomás Ortega"}),
            ("03055512", {"Lina Kamal"}),
            ("030/555 12", {"Lina Kamal"}),
            ("%", {"100% Fleet_Co"}),
            ("_", {"100% Fleet_Co"}),
            ("100%", {"100% Fleet_Co"}),
            ("\\", set()),
            ("nobody", set()),
        ],
    )
    def test_by_name_mail_phone_and_company(self, text, found, manager):
        assert listed(manager, q=text) == found
        page = manager.get("/search", {"q": text})
        assert {contact.name for contact in page.context["contacts"]} == found

    def test_an_empty_search_is_none(self, manager):
        assert len(listed(manager, q="  ")) == 4

    def test_search_narrows_a_view(self, manager):
        assert listed(manager, view="my_customers", q="ana") == set()


class TestQuickFilters:
    @pytest.fixture(autouse=True)
    def people(self, acme, cast):
        make_contact("Mine", owner=cast.rep, source="Webinar")
        make_contact("Team's", owner=cast.mate, team=cast.iberia, stage="qualified")
        make_contact("Nobody's", source="webinar", stage="lost")

    @pytest.mark.parametrize(
        "params, found",
        [
            ({"owner": "me"}, {"Mine"}),
            ({"owner": "team"}, {"Team's"}),
            ({"owner": "nobody"}, {"Nobody's"}),
            ({"stage": ["lead", "lost"]}, {"Mine", "Nobody's"}),
            ({"source": "WEBINAR"}, {"Mine", "Nobody's"}),
            ({"owner": "nobody", "stage": "lead"}, set()),
            ({"stage": "no such"}, set()),
            ({"owner": "x"}, set()),
        ],
    )
    def test_they_narrow_the_list(self, params, found, sign_in):
        assert listed(sign_in("rep"), **params) == found

    def test_everything_of_a_narrowed_list_is_locked_and_done(self, manager, cast):
        """DISTINCT would prevent the lock on PostgreSQL."""
        bulk(manager, "assign", query="view=all&stage=lead&stage=lost", everything=1, owner=cast.mate.pk, team="keep")
        assert set(Contact.objects.filter(owner=cast.mate).values_list("name", flat=True)) == {
            "Mine",
            "Nobody's",
            "Team's",
        }
        assert Contact.objects.get(name="Team's").version == 2  # created and moved, not assigned

    @pytest.mark.parametrize("query", ["view=all&stage=bogus", "view=all&where=shoe+%3D+43", "view=all&where=%28"])
    def test_a_list_that_cannot_be_read_selects_nothing(self, query, manager):
        response = bulk(manager, "delete", query=query, everything=1, reason="oops")
        assert Contact.objects.live().count() == 3
        assert response.status_code == 200

    def test_nor_does_a_view_whose_field_was_archived_meanwhile(self, manager, actor):
        field = make_field("fleet_size", "number")
        view = save_view("contact", "Fleets", by=actor("manager"), condition="fleet_size > 5")
        archive_custom_field(field, by=actor("admin"))
        bulk(manager, "delete", query=f"view={view.slug}", everything=1, reason="oops")
        assert Contact.objects.live().count() == 3
        page = unescape(manager.get(f"/contact?view={view.slug}").content.decode())
        assert "is archived" in page


class TestFilterBuilder:
    def test_it_goes_from_field_to_comparison_to_the_list(self, acme, manager):
        make_contact("Ana", title="CFO")
        make_contact("Bo", title="CEO")
        step = manager.get("/contact/filter", {"view": "all", "field": "title"})
        assert dict(step.context["operators"])["contains"] == "contains"
        done = manager.get("/contact/filter", {"view": "all", "field": "title", "op": "=", "value": "cfo"}, follow=True)
        assert names(done) == {"Ana"}
        more = {"view": "all", "where": "title = CFO", "field": "name", "op": "contains", "value": "b"}
        assert names(manager.get("/contact/filter", more, follow=True)) == set()

    @pytest.mark.parametrize(
        "field, said",
        [
            ("title", "is · is not · contains · starts with · is empty · is not empty"),
            ("lifecycle_stage", "is · is not · is empty · is not empty"),
            ("last_activity", "before a date, or less than … ago"),
            ("owner", "is · is not · is empty · is not empty"),
        ],
    )
    def test_comparisons_are_said_in_words_and_stored_as_operators(self, field, said, acme, manager):
        page = manager.get("/contact/filter", {"view": "all", "field": field}).content.decode()
        options = re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)</option>', page.partition('id="op"')[2])
        assert said in " · ".join(words for _, words in options)
        assert {unescape(operator) for operator, _ in options} <= set(operators(CONTACT.fields[field]))

    def test_a_written_condition_is_kept_by_key(self, acme, manager):
        response = manager.get("/contact/filter", {"view": "all", "text": "Lifecycle Stage = Lead AND Title is empty"})
        where = parse_qs(urlparse(response["Location"]).query)["where"]
        assert where == ["lifecycle_stage = lead and title is empty"]

    @pytest.mark.parametrize(
        "params", [{"text": "titel = x"}, {"field": "title", "op": "~", "value": "x"}, {"text": "("}, {"field": "shoe"}]
    )
    def test_what_cannot_be_read_is_said_and_not_lost(self, params, acme, manager):
        response = manager.get("/contact/filter", {"view": "all"} | params)
        assert response.status_code == 200
        assert response.context["error"] or params == {"field": "shoe"}

    def test_the_builder_names_no_position_in_a_text_that_nobody_wrote(self, acme, manager):
        sentence = "No user named “zed” in this workspace."
        built = manager.get("/contact/filter", {"field": "owner", "op": "=", "value": "zed"})
        assert built.context["error"] == sentence
        written = manager.get("/contact/filter", {"text": "owner = zed"})
        assert str(written.context["error"]) == f"{sentence} (position 9)"

    def test_a_search_without_results_is_quoted(self, acme, manager):
        assert "No results for “zzz”" in manager.get("/contact", {"q": "zzz"}).content.decode()

    def test_a_value_is_a_value_whatever_is_in_it(self, acme, manager):
        """Text typed into the builder never becomes syntax."""
        make_contact("Ana", title='x" or name = "Bo')
        make_contact("Bo")
        wanted = {"view": "all", "field": "title", "op": "=", "value": 'x" or name = "Bo'}
        assert names(manager.get("/contact/filter", wanted, follow=True)) == {"Ana"}


class TestSavedViews:
    def test_mine_is_mine_and_the_workspaces_is_everybodys(self, acme, sign_in):
        manager, rep = sign_in("manager"), sign_in("rep")
        manager.post("/contact/view?view=all&where=title+%3D+CFO&columns=title&sort=-name", {"name": "CFOs"})
        manager.post("/contact/view?view=all&where=title+%3D+CEO", {"name": "CEOs", "shared": 1})
        views_of = lambda client: [view.slug for view in client.get("/contact").context["state"].views]  # noqa: E731
        assert views_of(manager)[-2:] == ["ceos", "cfos"]
        assert views_of(rep)[-1] == "ceos"
        state = manager.get("/contact?view=cfos").context["state"]
        assert (state.where, state.column_keys, state.view.sort) == ("title = CFO", ["name", "title"], "-name")

    def test_a_built_in_view_is_saved_over_for_oneself_alone(self, acme, sign_in):
        manager, rep = sign_in("manager"), sign_in("rep")
        manager.post("/contact/view?view=contacts_leads&columns=title", {"over": 1})
        assert manager.get("/contact").context["state"].column_keys == ["name", "title"]
        assert "title" not in rep.get("/contact").context["state"].column_keys

    def test_names_without_ascii_letters_keep_apart(self, acme, actor):
        first, second = (save_view("contact", name, by=actor("rep")) for name in ("客户", "潜在客户"))
        assert first.slug != second.slug
        assert save_view("contact", "客户", by=actor("rep")).pk == first.pk

    @pytest.mark.parametrize(
        "name, sentence",
        [
            (" ", "Enter a view name."),
            ("N" * 61, "Names can be up to 60 characters."),
            ("All", "“All” is a built-in view. Choose another name."),
            ("Trash", "“Trash” is a built-in view. Choose another name."),
        ],
    )
    def test_a_name_has_to_be_one(self, name, sentence, acme, manager):
        response = manager.post("/contact/view", {"name": name})
        assert response.status_code == 422
        assert sentence in unescape(response.content.decode())
        assert not SavedView.objects.exists()

    def test_reps_share_and_delete_no_views_of_the_workspace(self, acme, actor, sign_in):
        with pytest.raises(NotAllowed, match="Only managers can share"):
            save_view("contact", "Ours", by=actor("rep"), shared=True)
        view = save_view("contact", "Ours", by=actor("manager"), shared=True)
        with pytest.raises(NotAllowed, match="Only managers can delete"):
            delete_view("contact", view.slug, by=actor("rep"))
        assert sign_in("rep").post(f"/contact/view/{view.slug}/delete").status_code == 403
        delete_view("contact", view.slug, by=actor("manager"))
        with pytest.raises(Refused, match="built in or has already been deleted"):
            delete_view("contact", view.slug, by=actor("manager"))

    def test_a_condition_that_cannot_be_read_is_not_saved(self, acme, manager):
        response = manager.post("/contact/view?where=shoe+%3D+43", {"name": "Shoes"})
        assert response.status_code == 422
        assert not SavedView.objects.exists()


class TestBulk:
    def test_the_refused_stay_ticked_and_the_done_can_be_undone(self, acme, manager):
        lead, lost = make_contact("Lea"), make_contact("Lou", stage="lost")
        response = bulk(manager, "stage", lead, lost, verb="qualify", reason="")
        assert messages(response) == [
            "Stage changed: 1 record.",
            "Skipped: Lou. “Qualify” isn’t available at Lost, only at Lead.",
        ]
        ticked = re.findall(r'value="(contact_\w+)"[^>]* checked', response.content.decode())
        assert ticked == [lost.public_id]
        [undo] = [message.extra_tags for message in response.context["messages"] if message.extra_tags]
        undone = manager.post(undo, {"next": "/contact?view=all"}, follow=True)
        assert messages(undone) == ["Undone. 1 change reverted."]
        assert Contact.objects.get(pk=lead.pk).lifecycle_stage == "lead"

    def test_a_list_may_open_with_all_of_its_page_ticked(self, acme, manager):
        contacts = {make_contact("Lea").public_id, make_contact("Lou").public_id}
        page = manager.get("/contact?view=all&ticked=all").content.decode()
        assert set(re.findall(r'value="(contact_\w+)"[^>]* checked', page)) == contacts
        assert "is-refused" not in page
        assert "ticked" not in page

    def test_everything_that_matches_beyond_the_page(self, acme, cast, manager, monkeypatch):
        monkeypatch.setattr(list_rows, "PAGE", 2)
        for n in range(5):
            make_contact(f"Fleet {n}", source="Chat" if n else "Web")
        asked = bulk(manager, "assign", query="view=all&where=source+%3D+Chat", everything=1, confirm=0)
        assert asked.context["total"] == 4
        query = {"query": "view=all&where=source+%3D+Chat", "everything": 1}
        response = bulk(manager, "assign", owner=cast.rep.pk, team="", **query)
        assert messages(response) == ["Assigned: 4 records."]
        assert Contact.objects.filter(owner=cast.rep).count() == 4

    def test_bad_input_asks_again(self, acme, manager):
        contact = make_contact("Ana")
        response = bulk(manager, "edit", contact, asked=1, field="timezone", value="Nowhere")
        assert response.status_code == 422
        assert "isn’t a valid time zone" in unescape(response.content.decode())
        assert bulk(manager, "delete", contact, reason="").status_code == 422
        assert Contact.objects.live().filter(timezone="").count() == 1

    def test_nothing_selected_is_said(self, acme, manager):
        assert messages(bulk(manager, "assign", confirm=0)) == ["Select at least one record first."]

    def test_an_action_has_to_be_one_and_the_role_allow_it(self, acme, sign_in):
        contact = make_contact()
        assert bulk(sign_in("manager"), "explode", contact).status_code == 404
        assert bulk(sign_in("viewer"), "delete", contact, reason="x").status_code == 404
        assert Contact.objects.live().exists()

    def test_the_trash_restores(self, acme, actor, manager):
        contact = make_contact("Ana")
        delete(rows(contact), by=actor("manager"), reason="twice")
        assert listed(manager) == set()
        assert listed(manager, view="trash") == {"Ana"}
        assert messages(bulk(manager, "restore", contact, query="view=trash")) == ["Restored: 1 record."]
        assert listed(manager) == {"Ana"}


class TestWhoSeesWhat:
    @pytest.fixture(autouse=True)
    def people(self, acme, cast):
        make_contact("Open", owner=cast.manager)
        make_contact("Iberia", owner=cast.mate, team=cast.iberia)
        make_contact("Nordics", owner=cast.outsider, team=cast.nordics)
        make_contact("Given away", owner=cast.rep, team=cast.nordics)

    SEEN = {
        "viewer": {"Open"},
        "rep": {"Open", "Iberia", "Given away"},
        "mate": {"Open", "Iberia"},
        "outsider": {"Open", "Nordics", "Given away"},
        "manager": {"Open", "Iberia", "Nordics", "Given away"},
    }

    @pytest.mark.parametrize("who", SEEN)
    def test_in_list_search_count_and_merge_candidates(self, who, sign_in):
        client, seen = sign_in(who), self.SEEN[who]
        response = client.get("/contact?view=all")
        assert names(response) == seen
        assert response.context["total"] == str(len(seen))
        assert client.get("/contact/count?view=all").context["total"] == str(len(seen))
        assert listed(client, q="person") == {name for name in seen}
        assert {contact.name for contact in client.get("/search?q=person").context["contacts"]} == seen
        assert listed(client, sort="title") == seen

    @pytest.mark.parametrize("who", ["rep", "outsider"])
    def test_in_bulk(self, who, sign_in, cast):
        changed = {"rep": {"Iberia", "Given away"}, "outsider": {"Nordics", "Given away"}}[who]
        everybody = Contact.objects.all()
        bulk(sign_in(who), "edit", *everybody, asked=1, field="title", value="CFO")
        assert set(Contact.objects.filter(title="CFO").values_list("name", flat=True)) == changed
        bulk(sign_in(who), "edit", everything=1, asked=1, field="department", value="Board")
        assert set(Contact.objects.filter(department="Board").values_list("name", flat=True)) == changed


def test_the_count_stops_at_its_cap(acme, manager, monkeypatch):
    for module in (list_rows, views):
        monkeypatch.setattr(module, "CAP", 2)
    for _ in range(4):
        make_contact()
    response = manager.get("/contact?view=all")
    assert response.context["total"] == "2+"
    assert manager.get("/contact/count?view=all").context["total"] == "4"


def test_what_no_index_serves_ends_with_a_sentence(acme, manager, monkeypatch):
    def slow(*args, **kwargs):
        raise TooSlow("This search is taking too long.")

    monkeypatch.setattr(views, "list_page_rows", slow)
    response = manager.get("/contact?view=all&q=ana")
    assert response.status_code == 200
    assert "This search is taking too long." in response.content.decode()


@pytest.mark.parametrize(
    "type, value, shown",
    [("date", "2026-03-31", "31 Mar 2026"), ("yes_no", "yes", "Yes"), ("number", "1250.5", "1,250.5")],
)
def test_custom_fields_stand_in_columns_and_on_the_page(type, value, shown, acme, manager):
    make_field("extra", type)
    contact = make_contact("Ana", extra=value)
    assert shown in manager.get("/contact?view=all&columns=extra").content.decode()
    assert shown in manager.get(contact.get_absolute_url()).content.decode()


def test_changes_of_a_saved_view_keep_their_old_values(acme, actor):
    view = save_view("contact", "CFOs", by=actor("rep"), condition="title = CFO")
    by = actor("rep")
    save_view("contact", "CFOs", by=by, condition="title = CEO")
    assert written(by) == [("saved_view.updated", view.pk, {"condition": "title = CFO"}, {"condition": "title = CEO"})]
