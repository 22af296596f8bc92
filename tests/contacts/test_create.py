from datetime import UTC, datetime

import pytest

from contacts.models import Contact
from contacts.verbs.create import create
from crm.kit import clock
from crm.kit.errors import Invalid, NotAllowed
from crm.records.verbs.delete import delete
from tests.factories import make_contact, make_field, rows
from tests.log import assert_entry, assert_nothing_written, moves, written

MOMENT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_a_new_contact_is_a_lead_of_whoever_adds_it(acme, cast, actor):
    by = actor("rep")
    with clock.at(MOMENT):
        made = create([{"name": "Ana Ruiz", "email": "Ana@Metro.example", "source": "Webinar"}], by=by)
    contact = Contact.objects.get()
    assert (made.change, made.done) == (by.change, [contact.pk])
    assert (contact.owner, contact.lifecycle_stage, contact.status) == (cast.rep, "lead", "active")
    assert contact.created_at == contact.last_activity == contact.lifecycle_stage_since == MOMENT
    new = {
        "name": "Ana Ruiz",
        "email": "Ana@Metro.example",
        "source": "Webinar",
        "owner": cast.rep.pk,
        "custom": {},
        "lifecycle_stage": "lead",
        "status": "active",
    }
    assert_entry(by, contact, "contact.created", "CREATE", old=None, new=new)
    assert moves(by) == [
        (contact.pk, "lifecycle_stage", "", "lead", "create", ""),
        (contact.pk, "status", "", "active", "create", ""),
    ]


def test_many_at_once_are_all_made_or_none(acme, actor):
    by = actor("rep")
    made = create([{"name": f"Person {n}", "email": f"p{n}@x.example"} for n in range(3)], by=by)
    assert [event for event, *_ in written(by)] == ["contact.created"] * 3
    assert len(moves(by)) == 6
    again = actor("rep")
    with pytest.raises(Invalid, match="with this email"):
        create([{"name": "New"}, {"name": "Twin", "email": "P1@X.example"}], by=again)
    assert_nothing_written(again)
    assert Contact.objects.count() == len(made.done)


@pytest.mark.parametrize(
    "values, name",
    [
        ({"first_name": "Ana", "last_name": "Ruiz"}, "Ana Ruiz"),
        ({"first_name": "Ana"}, "Ana"),
        ({"email": "ana@metro.example"}, "ana@metro.example"),
        ({"name": "Señora Ruiz", "first_name": "Ana"}, "Señora Ruiz"),
        ({"first_name": "A" * 100, "last_name": "B" * 100}, f"{'A' * 100} {'B' * 99}"),
        (
            {"email": f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example"},
            f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 17}",
        ),
    ],
)
def test_the_name_is_made_of_the_other_fields(values, name, acme, actor):
    create([values], by=actor("rep"))
    assert Contact.objects.get().name == name


@pytest.mark.parametrize(
    "values, errors",
    [
        ({"title": "CFO"}, {"name": "Enter a name or an email."}),
        ({"name": " "}, {"name": "Enter a name or an email."}),
        ({"name": "A", "email": "not one"}, {"email": "“not one” isn’t a valid email address."}),
        ({"name": "A" * 201}, {"name": "Name can have up to 200 characters."}),
        ({"name": "A", "phone": "1" * 61}, {"phone": "Phone can have up to 60 characters."}),
        ({"name": "A\0"}, {"name": "Name contains an invalid character."}),
        ({"name": "A", "shoe": "43"}, {"shoe": "There’s no field “shoe”."}),
        (
            {"name": "A", "lifecycle_stage": "customer"},
            {"lifecycle_stage": "Lifecycle Stage is set automatically and can’t be edited."},
        ),
        (
            {"name": "A", "timezone": "Madrid"},
            {"timezone": "“Madrid” isn’t a valid time zone. Use a name like Europe/Madrid."},
        ),
        ({"name": "A", "status": ""}, {"status": "Status is required."}),
        ({"name": "A", "company": 99}, {"company": "Company: record not found."}),
        ({"name": "A", "owner": 0}, {"owner": "Owner: this user is no longer active."}),
    ],
)
def test_bad_values_are_named_field_by_field_and_nothing_is_written(values, errors, acme, actor):
    by = actor("rep")
    with pytest.raises(Invalid) as error:
        create([values], by=by)
    assert error.value.errors == errors
    assert_nothing_written(by)
    assert not Contact.objects.exists()


def test_values_may_be_given_by_label_api_name_and_alias(acme, cast, actor):
    make_field("fleet_size", "number", "Fleet size")
    values = {"Name": "Ana", "job title": "CFO", "role": "DecisionMaker", "Fleet size": "12"}
    create([values | {"organization": None, "owner": "mate@acme.example"}], by=actor("rep"))
    contact = Contact.objects.get()
    assert (contact.title, contact.role, contact.custom, contact.owner) == (
        "CFO",
        "decision_maker",
        {"fleet_size": 12},
        cast.mate,
    )


def test_a_viewer_adds_nobody(acme, actor):
    by = actor("viewer")
    with pytest.raises(NotAllowed, match="Viewers can’t create records"):
        create([{"name": "Ana"}], by=by)
    assert_nothing_written(by)


def test_an_address_in_the_trash_is_free(acme, actor):
    gone = make_contact(email="ana@metro.example")
    delete(rows(gone), by=actor("manager"), reason="left")
    create([{"email": "ANA@metro.example"}], by=actor("rep"))
    assert Contact.objects.filter(email_key="ana@metro.example").count() == 2


def test_a_link_to_what_the_actor_cannot_see_is_no_link(acme, cast, actor):
    boss = make_contact("Boss", owner=cast.outsider, team=cast.nordics)
    with pytest.raises(Invalid, match="Reports to: record not found"):
        create([{"name": "Ana", "manager": boss.pk}], by=actor("rep"))
