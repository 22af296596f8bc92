"""Ids in a form's body from another workspace, or of a hidden record, are refused (S1)."""

import pytest

from contacts.models import Activity, Company, Contact
from crm.kit.scope import in_workspace
from crm.users.models import Invitation, Membership
from tests.security.calls import told

pytestmark = pytest.mark.once

STRANGERS = ["theirs", "hidden"]


@pytest.fixture
def here(cast, world):
    """Open acme, with its rows."""
    with in_workspace(cast.acme):
        yield world


def links(stranger) -> dict[str, list[str]]:
    """Return field → ways to write a stranger's record in it."""
    return {
        "owner": [str(stranger.member.pk), f"member_{stranger.member.pk}", stranger.member.user.email],
        "team": [str(stranger.team.pk) if hasattr(stranger, "team") else "999999"],
        "company": [stranger.company.public_id, f"x ({stranger.company.public_id})", stranger.company.name],
        "manager": [stranger.contact.public_id, stranger.contact.name],
    }


@pytest.mark.parametrize("key", ["owner", "team", "company", "manager"])
@pytest.mark.parametrize("path", ["new", "{id}/edit", "{id}/field/{key}"])
def test_a_record_links_to_nobody_of_another_workspace(path, key, here, sign_in):
    client, contact, before = sign_in("admin"), here.own.contact, Contact.objects.count()
    url = f"/contact/{path}".format(id=contact.public_id, key=key)
    for written in links(here.theirs)[key]:
        response = client.post(url, {"name": contact.name, "base-name": contact.name, "status": "active", key: written})
        assert response.status_code in (200, 422), written
        assert here.theirs.contact.public_id not in told(response).replace(written, "")
    contact.refresh_from_db()
    assert (contact.owner_id, contact.team_id) == (here.own.member.pk, None)
    assert (contact.company_id, contact.manager_id) == (here.own.company.pk, None)
    assert Contact.objects.count() == before


@pytest.mark.parametrize("key", ["company", "manager"])
def test_a_record_links_to_none_that_its_editor_may_not_see(key, here, sign_in):
    client, contact = sign_in("rep"), here.own.contact
    for written in links(here.hidden)[key]:
        assert client.post(f"/contact/{contact.public_id}/field/{key}", {key: written}).status_code in (409, 422)
        assert client.post("/contact/new", {"name": "Somebody", key: written}).status_code == 422
    contact.refresh_from_db()
    assert (contact.company_id, contact.manager_id) == (here.own.company.pk, None)


@pytest.mark.parametrize("who", STRANGERS)
def test_nobody_merges_with_a_record_they_may_not_see(who, here, sign_in):
    stranger, client = getattr(here, who), sign_in("rep")
    url = f"/contact/{here.own.contact.public_id}/merge"
    for other in (stranger.contact.public_id, stranger.trashed.public_id):
        assert client.get(url, {"other": other}).status_code == 404
        assert client.post(url, {"other": other}).status_code == 404
    for query in (stranger.mark, stranger.contact.email):
        assert stranger.mark not in told(client.get(url, {"q": query})).replace(query, "")


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("action", ["assign", "edit", "stage", "delete"])
def test_bulk_leaves_alone_what_one_may_not_see(action, who, here, sign_in, cast):
    stranger, client = getattr(here, who), sign_in("rep")
    values = {"owner": cast.rep.pk, "team": "keep", "field": "title", "value": "Stolen", "verb": "lose", "reason": "x"}
    data = {"action": action, "confirm": "1", "selected": stranger.contact.public_id, **values}
    answer = client.post("/contact/bulk", data, follow=True)
    everything = client.post(
        "/contact/bulk", data | {"everything": "1", "confirmed": "1", "query": f"q={stranger.mark}"}, follow=True
    )
    # What was searched for is repeated in the URLs, the search box and the heading of the empty list, and nowhere else.
    searched = (f"q={stranger.mark}", f'value="{stranger.mark}"', f"No results for “{stranger.mark}”")
    for response in (answer, everything):
        text = told(response)
        for own_words in searched:
            text = text.replace(own_words, "")
        assert stranger.mark not in text
    with in_workspace(stranger.member.workspace):
        now = Contact.objects.get(pk=stranger.contact.pk)
        assert (now.version, now.deleted_at) == (stranger.contact.version, None)


def test_bulk_gives_nothing_to_people_and_teams_of_another_workspace(here, sign_in):
    client, contact, stranger = sign_in("admin"), here.own.contact, here.theirs
    ask = {"action": "assign", "confirm": "1", "selected": contact.public_id}
    for values in ({"owner": stranger.member.pk, "team": "keep"}, {"owner": "none", "team": stranger.team.pk}):
        assert client.post("/contact/bulk", ask | values).status_code == 422
    edit = {"action": "edit", "confirm": "1", "asked": "1", "selected": contact.public_id}
    for key, written in links(stranger).items():
        for value in written:
            assert client.post("/contact/bulk", edit | {"field": key, "value": value}).status_code == 422
    assert Contact.objects.get(pk=contact.pk).version == contact.version


@pytest.mark.parametrize(
    "url", ["/settings/people/{}/", "/settings/people/invite/", "/admin/users/membership/{}/change/"]
)
def test_nobody_is_put_into_a_team_of_another_workspace(url, here, sign_in, cast):
    data = {"role": "rep", "team": here.theirs.team.pk, "email": "x@person.example", "is_active": "on"}
    assert sign_in("admin").post(url.format(cast.mate.pk), data).status_code in (200, 422)
    assert Membership.objects.get(pk=cast.mate.pk).team == cast.iberia
    assert not Invitation.objects.filter(email="x@person.example").exists()


def test_the_admin_takes_no_workspace_from_a_form(here, sign_in, cast):
    data = {"name": "Moved", "workspace": cast.globex.pk}
    sign_in("admin").post(f"/admin/users/team/{cast.iberia.pk}/change/", data)
    cast.iberia.refresh_from_db()
    assert (cast.iberia.name, cast.iberia.workspace_id) == ("Moved", cast.acme.pk)


def test_the_admin_does_not_look_things_up_that_it_does_not_show(here, sign_in):
    client = sign_in("admin")
    for query in ("password__startswith=md5", "email__startswith=rep", "memberships__workspace__slug=globex"):
        assert client.get(f"/admin/users/user/?{query}", follow=True).status_code == 400, query
    assert client.get("/admin/users/invitation/?token_hash__startswith=0").status_code == 400
    assert client.get("/admin/users/membership/?role__exact=rep").status_code == 200


@pytest.mark.parametrize(
    ("condition", "tells"),
    [
        ("company.industry starts with hidden", False),
        ("company.domain = hiddenmark.example", False),
        ("manager.email contains hiddenmark", False),
        ('company = "hiddenmark company"', True),  # a linked record's name is visible
        ("company starts with hidden", True),
        ("not (company.industry starts with hidden)", True),
    ],
)
def test_a_condition_tells_nothing_of_linked_records_one_may_not_see(condition, tells, here, sign_in):
    linked = {"company": here.hidden.company, "manager": here.hidden.contact}
    Contact.objects.filter(pk=here.own.contact.pk).update(**linked)
    found = {who: listed(sign_in(who), "/contact", condition, here.own.contact) for who in ("rep", "manager")}
    assert found == {"rep": tells, "manager": not condition.startswith("not")}


def test_a_condition_counts_only_people_one_may_see(here, sign_in, cast):
    Contact.objects.filter(pk=here.hidden.contact.pk).update(company=here.own.company)
    condition = "any contact (email contains hiddenmark)"
    found = {who: listed(sign_in(who), "/company", condition, here.own.company) for who in ("rep", "manager")}
    assert found == {"rep": False, "manager": True}


def listed(client, url, condition, record) -> bool:
    page = client.get(url, {"view": "all", "where": condition}).content.decode()
    assert "cannot be read" not in page
    return f'href="{url}/{record.public_id}"' in page


def test_a_company_s_page_keeps_to_itself_what_concerns_people_one_may_not_see(here, sign_in, cast):
    company = here.own.company
    Contact.objects.filter(pk=here.hidden.contact.pk).update(company=company)
    Activity.objects.filter(pk=here.hidden.task.pk).update(company=company)
    for url in (f"/company/{company.public_id}", f"/company/{company.public_id}/timeline"):
        assert "hiddenmark" not in told(sign_in("rep").get(url))
        assert "hiddenmark" in told(sign_in("manager").get(url))


def test_a_contact_s_page_shows_of_an_unseen_company_its_name_only(here, sign_in):
    company = here.hidden.company
    Company.objects.filter(pk=company.pk).update(industry="Very secret trade", city="Atlantis")
    Contact.objects.filter(pk=here.own.contact.pk).update(company=company)
    page = told(sign_in("rep").get(f"/contact/{here.own.contact.public_id}"))
    assert company.name in page
    assert "Very secret trade" not in page
    assert "Very secret trade" in told(sign_in("manager").get(f"/contact/{here.own.contact.public_id}"))


@pytest.mark.parametrize("who", STRANGERS)
def test_search_and_counts_find_nothing_of_others(who, here, sign_in):
    stranger, client = getattr(here, who), sign_in("rep")
    for query in (stranger.mark, stranger.contact.email, f"{stranger.mark}.example"):
        for url in ("/search", "/contact", "/company"):
            assert stranger.contact.public_id not in told(client.get(url, {"q": query}))
            assert stranger.company.public_id not in told(client.get(url, {"q": query}))
        assert "<span>0</span>" in told(client.get("/contact/count", {"q": query}, headers={"HX-Request": "true"}))
