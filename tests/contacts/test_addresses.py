"""Several emails and phones of a contact: order, uniqueness, undo, merge, suppression, search."""

import importlib
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Contact, ContactAddress, Suppression
from contacts.suppression import is_suppressed
from contacts.verbs.capture import capture
from contacts.verbs.enrich import enrich
from contacts.verbs.lift_suppression import lift_suppression
from contacts.verbs.make_primary import make_primary
from contacts.verbs.merge import merge
from contacts.verbs.set_status import set_status
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.events.engine import drain
from crm.kit import clock
from crm.kit.errors import AlreadyTaken, Invalid, Refused
from crm.lists.paging import search
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from crm.users.verbs.edit_workspace import edit_workspace
from tests.browser import inspect
from tests.factories import make_contact, manager, rows

pytestmark = pytest.mark.django_db
EMAILS = "home: b@x.example\nclub: c@x.example"
PHONES = "home: 600 100 201\nmobile: 600 100 202"


@pytest.fixture
def ana(acme, cast):
    """Return a contact with three emails and four phones."""
    return make_contact(
        "Ana", email="a@x.example", email_label="work", other_emails=EMAILS,
        phone="600 100 200", mobile="600 100 203", other_phones=PHONES,
    )  # fmt: skip


def kept(contact, kind="email"):
    found = contact.addresses.filter(kind=kind).order_by("position")
    return list(found.values_list("value", "label"))


def fields(contact):
    contact.refresh_from_db()
    return contact.address_fields


@pytest.fixture
def spain(acme):
    """Let numbers without a country code be Spanish: the workspace in scope is `acme`."""
    acme.country = "ES"


def test_all_addresses_are_kept_in_order_with_labels(ana):
    assert kept(ana) == [("a@x.example", "work"), ("b@x.example", "home"), ("c@x.example", "club")]
    assert kept(ana, "phone") == [
        ("600 100 200", ""),
        ("600 100 203", "mobile"),
        ("600 100 201", "home"),
        ("600 100 202", "mobile"),
    ]


def test_with_the_first_removed_the_next_takes_its_place_and_undo_returns_both(ana, actor):
    before, by = fields(ana), actor("manager")
    edit(rows(ana), {"email": "", "mobile": ""}, by=by)
    assert (ana.email, ana.email_label, ana.other_emails) == ("a@x.example", "work", EMAILS)
    after = fields(ana)
    assert (after["email"], after["email_label"], after["other_emails"]) == ("b@x.example", "home", "club: c@x.example")
    assert (after["mobile"], after["other_phones"]) == ("600 100 202", "home: 600 100 201")
    assert Entry.objects.get(change=by.change).new_values["email"] == "b@x.example"
    undo(by.change, by=actor("manager"))
    assert fields(ana) == before and len(kept(ana)) == 3


@pytest.mark.parametrize(
    "given, wanted",
    [
        ({"email": "b@x.example"}, ["b@x.example", "c@x.example"]),
        ({"other_emails": "c@x.example\nA@X.example\nc@X.example"}, ["a@x.example", "c@x.example"]),
        ({"other_emails": ""}, ["a@x.example"]),
        ({"other_emails": "d@x.example"}, ["a@x.example", "d@x.example"]),
    ],
)
def test_no_email_is_there_twice(ana, actor, given, wanted):
    by = actor("manager")
    edit(rows(ana), given, by=by)
    assert [value for value, _label in kept(ana)] == wanted
    undo(by.change, by=actor("manager"))
    assert [value for value, _label in kept(ana)] == ["a@x.example", "b@x.example", "c@x.example"]


def test_a_phone_labeled_mobile_goes_into_that_field(acme, cast, actor):
    bo = make_contact("Bo", phone="1", phone_label="Mobile", other_phones="2\n3")
    assert (bo.mobile, bo.phone, bo.other_phones) == ("1", "2", "3")


@pytest.mark.parametrize(
    "address, field", [("c@x.example", "email"), ("600 100 201", "phone"), ("600 100 202", "mobile")]
)
def test_any_address_becomes_the_primary_and_undo_returns_the_order(ana, actor, address, field):
    before, by = fields(ana), actor("manager")
    numbers = [len(kept(ana)), len(kept(ana, "phone"))]
    make_primary(rows(ana), address, by=by)
    assert fields(ana)[field] == address and [len(kept(ana)), len(kept(ana, "phone"))] == numbers
    undo(by.change, by=actor("manager"))
    assert fields(ana) == before


def test_only_an_own_address_becomes_the_primary(ana, actor):
    with pytest.raises(Invalid):
        make_primary(rows(ana), "d@x.example", by=actor("manager"))


def test_undo_keeps_a_list_that_was_changed_since(ana, actor):
    """The first email alone would overwrite the second one's place: b would be lost."""
    first = actor("manager")
    edit(rows(ana), {"email": ""}, by=first)
    edit(rows(ana), {"other_emails": "d@x.example"}, by=actor("manager"))
    with pytest.raises(Refused):
        undo(first.change, by=actor("manager"))
    assert [value for value, _label in kept(ana)] == ["b@x.example", "d@x.example"]


@pytest.mark.parametrize(
    "given, field",
    [
        ({"email": "B@X.example"}, "email"),
        ({"email": "", "name": "Bo", "other_emails": "c@x.example"}, "other_emails"),
    ],
)
def test_no_other_contact_takes_any_of_the_emails(ana, given, field):
    with pytest.raises(AlreadyTaken) as error:
        make_contact(**given)
    assert list(error.value.errors) == [field]
    bo = make_contact("Bo")
    with pytest.raises(AlreadyTaken):
        edit(rows(bo), {"other_emails": "b@x.example"}, by=manager())


def test_the_trash_frees_emails_and_a_restore_needs_all_of_them(ana, actor):
    delete(rows(ana), by=actor("manager"), reason="Left")
    assert not kept(ana)
    bo = make_contact("Bo", email="c@x.example")
    assert list(restore(rows(ana), by=actor("manager")).refused) == [ana.pk]
    edit(rows(bo), {"email": "other@x.example"}, by=actor("manager"))
    assert restore(rows(ana), by=actor("manager")).done == [ana.pk] and len(kept(ana)) == 3


def test_of_two_in_the_trash_with_a_common_email_one_is_restored(ana, actor):
    delete(rows(ana), by=actor("manager"), reason="Left")
    bo = make_contact("Bo", email="bo@x.example", other_emails="a@x.example")
    delete(rows(bo), by=actor("manager"), reason="Left")
    outcome = restore(rows(ana, bo), by=actor("manager"))
    assert (outcome.done, list(outcome.refused)) == ([ana.pk], [bo.pk])


@pytest.mark.parametrize(
    "values", [{"email": "C@x.example"}, {"email": "new@x.example", "other_emails": "b@x.example"}]
)
def test_a_capture_finds_a_contact_by_any_email(ana, actor, values):
    outcome = capture([{"name": "A.", "title": "CFO"} | values], by=actor("manager"), source="web")
    ana.refresh_from_db()
    assert (outcome.done, ana.title, ana.email) == ([ana.pk], "CFO", "a@x.example")


def test_captures_of_one_person_with_several_emails_make_one_contact(acme, cast, actor):
    people = [
        {"email": "a@x.example", "other_emails": "b@x.example"},
        {"email": "B@x.example"},
        {"email": "z@x.example"},
    ]
    done = capture(people, by=actor("manager"), source="web").done
    assert done[0] == done[1] != done[2]


def test_enrichment_adds_no_address_of_another(ana, actor):
    bo = make_contact("Bo", email="")
    with pytest.raises(AlreadyTaken):
        enrich(rows(bo), {"email": "b@x.example"}, by=actor("manager"), source="web")


def test_a_merge_keeps_all_addresses_and_the_unmerge_returns_each(spain, ana, actor):
    bo = make_contact(
        "Bo", email="d@x.example", email_label="work", other_emails="e@x.example", phone="+34 600 100 200", mobile="9"
    )
    before = [fields(ana), fields(bo)]
    by = actor("manager")
    merge(ana, rows(bo), by=by)
    assert [value for value, _label in kept(ana)] == [f"{letter}@x.example" for letter in "abcde"]
    assert dict(kept(ana))["d@x.example"] == "work"
    assert [value for value, _label in kept(ana, "phone")] == [
        "600 100 200", "600 100 203", "600 100 201", "600 100 202", "9",
    ]  # fmt: skip
    assert not kept(bo)
    undo(by.change, by=actor("manager"))
    assert [fields(ana), fields(bo)] == before
    assert (len(kept(ana)), len(kept(bo)), len(kept(bo, "phone"))) == (3, 2, 2)


def test_the_chosen_email_of_a_merge_comes_first_with_its_label(ana, actor):
    bo = make_contact("Bo", email="d@x.example", email_label="home")
    merge(ana, rows(bo), by=actor("manager"), choose={"email": "d@x.example"})
    assert kept(ana)[:2] == [("d@x.example", "home"), ("a@x.example", "work")]


def test_a_suppressed_email_stays_so_as_a_further_one_and_as_the_primary_again(ana, actor):
    set_status(rows(ana), "bounced", by=actor("manager"))
    make_primary(rows(ana), "b@x.example", by=actor("manager"))
    ana.refresh_from_db()
    assert (ana.status, is_suppressed("a@x.example"), is_suppressed("b@x.example")) == ("active", True, False)
    make_primary(rows(ana), "a@x.example", by=actor("manager"))
    ana.refresh_from_db()
    assert ana.status == "bounced"


def test_a_suppressed_email_stays_so_with_another_contact(ana, actor):
    set_status(rows(ana), "bounced", by=actor("manager"))
    bo = make_contact("Bo", email="bo@x.example")
    merge(bo, rows(ana), by=actor("manager"))
    bo.refresh_from_db()
    assert (bo.status, is_suppressed("a@x.example")) == ("active", True)
    make_primary(rows(bo), "a@x.example", by=actor("manager"))
    bo.refresh_from_db()
    assert bo.status == "bounced"


def test_who_unsubscribed_is_not_emailed_at_a_further_address_and_a_lift_covers_all(ana, actor):
    set_status(rows(ana), "unsubscribed", by=actor("manager"))
    make_primary(rows(ana), "b@x.example", by=actor("manager"))
    ana.refresh_from_db()
    assert (ana.status, is_suppressed("b@x.example")) == ("unsubscribed", True)
    lift_suppression(rows(ana), by=actor("admin"), reason="Asked")
    ana.refresh_from_db()
    assert (ana.status, Suppression.objects.count()) == ("active", 0)


@pytest.mark.parametrize(
    "text",
    ["600 100 201", "+34600100201", "0034 600-100-201", "(600) 100.201", "100201", "b@x.example"],
)
def test_any_notation_of_any_phone_finds_the_contact(spain, cast, actor, text):
    ana = make_contact("Ana", email="a@x.example", other_emails=EMAILS, phone="1", other_phones="home: 600 100 201")
    make_contact("Bo", phone="600 100 209")
    assert list(search(Contact.objects.live(), text, actor("manager"))) == [ana]


def test_a_phone_that_cannot_be_read_stays_as_typed_and_is_found_by_its_digits(acme, cast, actor):
    ana = make_contact("Ana", phone="ask Bo, ext. 47 11")
    assert (ana.phone, kept(ana, "phone")) == ("ask Bo, ext. 47 11", [("ask Bo, ext. 47 11", "")])
    assert list(search(Contact.objects.live(), "4711", actor("manager"))) == [ana]


@pytest.mark.parametrize(
    "condition",
    [
        'any address (value contains "b@x.example")',
        'any address (kind = email AND label = "club")',
        '[Email 2] = "b@x.example"',
        'home_phone = "600 100 201"',
        'other_emails contains "c@x.example"',
    ],
)
def test_conditions_ask_for_any_address(ana, actor, condition):
    make_contact("Bo")
    found = parse(condition, "contact").expression(Viewer.looking(actor("manager")), clock.now())
    assert list(Contact.objects.live().filter(found)) == [ana]


def test_an_email_alone_is_the_primary_in_a_condition(ana, actor):
    found = parse('email = "b@x.example"', "contact").expression(Viewer.looking(actor("manager")), clock.now())
    assert not Contact.objects.filter(found).exists()


@pytest.mark.parametrize(
    "values, field",
    [
        ({"other_emails": "home: nonsense"}, "other_emails"),
        ({"other_emails": "\n".join(f"a{n}@x.example" for n in range(51))}, "other_emails"),
        ({"other_phones": "1" * 61}, "other_phones"),
        ({"email_label": "a: b"}, "email_label"),
    ],
)
def test_an_invalid_address_or_label_is_refused(ana, actor, values, field):
    with pytest.raises(Invalid) as error:
        edit(rows(ana), values, by=actor("manager"))
    assert list(error.value.errors) == [field]


def test_the_undo_of_a_new_contact_removes_its_addresses(acme, cast, actor):
    by = actor("manager")
    make_contact("Ana", other_emails=EMAILS, by=by)
    undo(by.change, by=actor("manager"))
    assert not ContactAddress.objects.exists()


def test_a_new_country_of_the_workspace_gives_numbers_their_keys(acme, cast, actor):
    ana = make_contact("Ana", phone="600 100 200")
    settings = {"name": "Acme", "timezone": "UTC", "currency": "EUR", "require_mfa": False}
    edit_workspace(**settings, country="es", by=actor("admin"))
    drain()
    assert ana.addresses.get(kind="phone").key == "+34600100200"
    with pytest.raises(Invalid):
        edit_workspace(**settings, country="XX", by=actor("admin"))


def test_the_migration_fills_in_addresses_and_keys(acme, cast):
    """As the previous version left them: no rows, and keys in which only case was folded."""
    ana = make_contact("Ana", email="A@bücher.example", phone="+34 600", mobile="7")
    rows_before = list(
        ana.addresses.order_by("kind", "position").values_list("kind", "position", "key", "value", "label")
    )
    Contact.objects.update(address_rows=[], email_key="a@bücher.example")
    assert not ContactAddress.objects.exists()
    migration = importlib.import_module("contacts.migrations.0015_existing_addresses")
    editor = SimpleNamespace(connection=connection)
    models = SimpleNamespace(get_model=lambda app, name: SimpleNamespace(objects=apps.get_model(app, name).objects))
    migration.rekey(models, editor)
    migration.fill(models, editor)
    after = ana.addresses.order_by("kind", "position").values_list("kind", "position", "key", "value", "label")
    assert list(after) == rows_before
    assert Contact.objects.get().email_key == "a@xn--bcher-kva.example"


def test_the_record_page_lists_addresses_as_links_and_makes_one_primary(ana, sign_in):
    client = sign_in("manager")
    page = client.get(ana.get_absolute_url()).content.decode()
    for link in ('href="mailto:b@x.example"', 'href="tel:600100201"', "Make primary"):
        assert link in page
    client.post(f"{ana.get_absolute_url()}/primary", {"address": "b@x.example"})
    assert fields(ana)["email"] == "b@x.example"


def test_the_form_adds_removes_and_reorders_without_scripts(ana, sign_in):
    client, path = sign_in("manager"), f"{ana.get_absolute_url()}/edit"
    form = client.get(path).context["form"]
    base = client.get(path).context["base"]
    data = {f"{bound.html_name}": bound.value() or "" for bound in (*form, *base)}
    data |= {
        "other_emails": ["b@x.example", "", "d@x.example"],
        "other_emails-label": ["Home", "", ""],
        "other_emails-order": ["2", "", "1"],
    }
    assert client.post(path, data).status_code == 302
    assert kept(ana)[1:] == [("d@x.example", ""), ("b@x.example", "home")]


@pytest.mark.browser
def test_buttons_add_reorder_and_remove_rows(ana, visit, sign_in):
    page = visit(f"{ana.get_absolute_url()}/edit", client=sign_in("manager"))
    rows_ = page.get_by_role("group", name="Other emails").locator("[data-list-row]")
    rows_.nth(1).get_by_role("button", name="Move up").click()
    rows_.nth(1).get_by_role("button", name="Remove").click()
    page.get_by_role("group", name="Other emails").get_by_role("button", name="Add").click()
    page.keyboard.type("d@x.example")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{ana.get_absolute_url()}")
    assert [value for value, _label in kept(ana)] == ["a@x.example", "c@x.example", "d@x.example"]
    inspect(page, "contact-addresses")
    page.goto(page.url + "/edit")
    inspect(page, "contact-addresses-edit")
