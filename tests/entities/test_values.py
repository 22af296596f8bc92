"""Parsing of input to typed values, JSON conversion, and forms."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django import forms

from crm.entities.fields import Choice, Field, FieldType
from crm.entities.forms import form_field
from crm.entities.people import members
from crm.entities.sql import orm_value
from crm.entities.values import custom_value_from_json, custom_value_to_json, parse_value
from crm.kit.errors import Invalid
from tests.conditions.app.models import Firm
from tests.conditions.cast import add_people

ROLES = (Choice("decision_maker", "Decision maker"), Choice("user", "User"))


def field(type_, **extra):
    choices = ROLES if "select" in type_ else ()
    return Field("it", "It", FieldType(type_), choices=choices, target="firm" if type_ == "link" else "", **extra)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("text", "  a b ", "a b"),
        ("email", "a@b.example", "a@b.example"),
        ("url", "https://a.example/x", "https://a.example/x"),
        ("number", "-12.50", Decimal("-12.5")),
        ("percent", "50 %", Decimal("0.5")),
        ("money", "1250.5", Decimal("1250.50")),
        ("date", "2026-02-28", date(2026, 2, 28)),
        ("datetime", "2026-02-28T10:00:00+02:00", datetime(2026, 2, 28, 8, tzinfo=UTC)),
        ("datetime", "2026-02-28 10:00", datetime(2026, 2, 28, 4, 15, tzinfo=UTC)),
        ("yes_no", "YES", True),
        ("yes_no", "0", False),
        ("select", "DecisionMaker", "decision_maker"),
        ("select", "decision-maker", "decision_maker"),
        ("multi_select", "user; Decision Maker,user", ["decision_maker", "user"]),
        ("number", "  ", None),
    ],
)
def test_text_becomes_a_typed_value_and_survives_json(workspace, type_, text, value):
    workspace.timezone = "Asia/Kathmandu"
    parsed = parse_value(field(type_), text)
    assert parsed == value
    assert type(parsed) is type(value)
    assert custom_value_from_json(field(type_), custom_value_to_json(field(type_), value)) == value


@pytest.mark.parametrize(
    ("type_", "text", "sentence"),
    [
        ("text", "a\0b", "invalid character"),
        ("email", "a@", "“a@” isn’t a valid email address"),
        ("url", "javascript:alert(1)", "isn’t a valid URL"),
        ("number", "1,5", "isn’t a valid number"),
        ("number", "NaN", "isn’t a valid number"),
        ("number", "1" * 16, "isn’t a valid number"),
        ("money", "1.005", "can have two decimals at most"),
        ("percent", "50", "isn’t a valid percentage, e.g. 50%"),
        ("date", "31.03.2026", "isn’t a valid date, e.g. 2026-03-31"),
        ("date", "0001-01-01", "isn’t a valid date"),
        ("datetime", "soon", "isn’t a valid date and time"),
        ("yes_no", "maybe", "must be yes or no"),
        ("select", "Usr", "isn’t a valid value for It. Did you mean “User”?"),
        ("user", "Ann Ruis", "No user named “Ann Ruis” in this workspace. Did you mean “Ann Ruiz”?"),
        ("team", "South", "No team named “South”"),
        ("link", "Nobody", "No record named “Nobody”."),
        ("many", "x", "can’t be set"),
    ],
)
def test_bad_text_gets_a_sentence_under_the_key(cast, type_, text, sentence):
    with pytest.raises(Invalid) as caught:
        parse_value(field(type_), text)
    assert sentence in caught.value.errors["it"]


@pytest.fixture
def cast(workspace):
    return add_people(workspace)


def test_people_are_found_by_name_address_or_id(cast, django_assert_num_queries):
    bo = cast.members[1].pk
    known = members()
    with django_assert_num_queries(0):
        for text in ("bo", "BO@acme.example", f"member_{bo}"):
            assert parse_value(field("user"), text, directory=known) == bo
    assert parse_value(field("team"), "north") == cast.teams[0].pk


def test_a_link_is_found_by_name_or_id_and_an_ambiguous_name_is_refused(workspace):
    first, second = Firm.objects.create(name="Fleetly"), Firm.objects.create(name="FLEETLY")
    with pytest.raises(Invalid, match="More than one record is named “fleetly”"):
        parse_value(field("link"), "fleetly")
    for text in (second.public_id, f"Fleetly ({second.public_id})"):
        assert parse_value(field("link"), text) == second.pk
    assert form_field(field("link")).prepare_value(first.pk) == f"Fleetly ({first.public_id})"


def form_of(declared, data=None, initial=None):
    form = type("F", (forms.Form,), {"it": form_field(declared)})
    return form(data, initial={"it": initial})


@pytest.mark.parametrize("type_", [t.value for t in FieldType if t is not FieldType.MANY])
def test_a_form_shows_what_it_reads_and_nothing_has_changed(cast, type_):
    values = {
        "number": Decimal("2.5"),
        "money": Decimal("2.50"),
        "percent": Decimal("0.125"),
        "date": date(2026, 2, 28),
        "datetime": datetime(2026, 2, 28, 8, 30, tzinfo=UTC),
        "yes_no": False,
        "select": "user",
        "multi_select": ["user"],
        "user": cast.members[0].pk,
        "team": cast.teams[0].pk,
        "link": Firm.objects.create(name="Fleetly").pk,
        "email": "a@b.example",
        "url": "https://a.example",
    }
    value = values.get(type_, "text")
    cast.workspace.timezone = "Asia/Kathmandu"
    bound = form_of(field(type_, help="Why"), initial=value)["it"]
    shown = bound.field.widget.format_value(bound.value())
    data = {"it": shown[0] if isinstance(shown, list) and type_ != "multi_select" else shown}
    form = form_of(field(type_), data, initial=value)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["it"] == (shown if type_ == "link" else value)  # the verb resolves links for its actor
    assert not form.has_changed()
    assert (bound.label, bound.help_text) == ("It", "Why")


@pytest.mark.parametrize("type_", [t.value for t in FieldType if t is not FieldType.MANY])
def test_an_empty_form_field_is_empty_and_a_required_one_refused(cast, type_):
    form = form_of(field(type_), {})
    assert form.is_valid()
    assert form.cleaned_data["it"] in (None, "", [])
    assert "required" in str(form_of(field(type_, required=True), {}).errors["it"])


def test_a_form_gives_the_sentence_of_the_parser(cast):
    assert "isn’t a valid percentage, e.g. 50%" in str(form_of(field("percent"), {"it": "5"}).errors["it"])


def test_rows_are_no_value():
    with pytest.raises(ValueError, match="rows"):
        form_field(field("many"))
    with pytest.raises(ValueError, match="rows"):
        orm_value(field("many"))
