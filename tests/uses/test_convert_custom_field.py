"""A custom field is converted with its values, its settings and its history, and one undo brings everything back."""

import re
from copy import deepcopy
from html import unescape

import pytest
from django.urls import reverse

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Contact
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.entities import rewriting
from crm.entities.conversion_survey import MOST_OPTIONS, survey
from crm.entities.fields import FieldType
from crm.entities.models import CustomField
from crm.entities.schema import schema
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.entities.verbs.convert_custom_field import convert_custom_field
from crm.kit import clock
from crm.kit.errors import InUse, NotAllowed, Refused
from crm.lists.undo_runs import start
from crm.lists.verbs.save_view import save_view
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.workflows.triggers import changing
from leads.models import Lead
from leads.scoring.shipped import RULES
from leads.verbs.save_scoring_model import save_scoring_model
from tests.factories import make_contact, make_field, rows
from tests.uses.made import GOLD, SILVER, make_settings

T = FieldType
TIERS = {"choices": [GOLD, SILVER]}


def stored(key="tier"):
    """Return the value of every contact, by name."""
    return {contact.name: contact.custom.get(key) for contact in Contact.objects.order_by("pk")}


def people(values, key="tier"):
    return [make_contact(name, **{key: value}) for name, value in values.items()]


def convert(field, to, by, **options):
    options.setdefault("seen", survey(field, T(to)).seen)
    return convert_custom_field(field, T(to), by=by, **options)


def found(condition):
    """Return the names of contacts that meet a condition."""
    expression = parse(condition, "contact").expression(Viewer(None), clock.now())
    return {contact.name for contact in Contact.objects.filter(expression)}


@pytest.mark.parametrize(
    ("type_", "to", "entered", "expected", "attributes"),
    [
        ("text", "number", {"A": "12.50", "B": "many"}, {"A": 12.5, "B": None}, {}),
        ("text", "money", {"A": "12.5", "B": "1.234"}, {"A": 12.5, "B": None}, {}),
        ("text", "date", {"A": "2026-03-31", "B": "31.3."}, {"A": "2026-03-31", "B": None}, {}),
        ("text", "yes_no", {"A": "Yes", "B": "0", "C": "maybe"}, {"A": True, "B": False, "C": None}, {}),
        ("text", "email", {"A": "a@b.example", "B": "a"}, {"A": "a@b.example", "B": None}, {}),
        ("text", "select", {"A": "Gold", "B": "gold", "C": "Tin"}, {"A": "Gold", "B": "Gold", "C": "Tin"}, {}),
        ("text", "multi_select", {"A": "Gold; Tin", "B": "tin"}, {"A": ["Gold", "Tin"], "B": ["Tin"]}, {}),
        ("long_text", "text", {"A": "one\ntwo", "B": "x" * 501}, {"A": "one two", "B": None}, {}),
        ("number", "text", {"A": "12.50", "B": "1000"}, {"A": "12.5", "B": "1000"}, {}),
        ("number", "percent", {"A": "50"}, {"A": 0.5}, {}),
        ("number", "select", {"A": "10", "B": "9"}, {"A": "10", "B": "9"}, {}),
        ("percent", "number", {"A": "50%"}, {"A": 50}, {}),
        ("percent", "text", {"A": "12.5%"}, {"A": "12.5%"}, {}),
        ("money", "number", {"A": "12.5"}, {"A": 12.5}, {}),
        ("date", "text", {"A": "2026-03-31"}, {"A": "2026-03-31"}, {}),
        ("date", "datetime", {"A": "2026-03-31"}, {"A": "2026-03-30T22:00:00.000000+00:00"}, {}),
        ("datetime", "date", {"A": "2026-03-30T22:30:00Z"}, {"A": "2026-03-31"}, {}),
        ("datetime", "text", {"A": "2026-03-30T22:30:00Z"}, {"A": "2026-03-31 00:30"}, {}),
        ("yes_no", "text", {"A": "yes", "B": "no"}, {"A": "yes", "B": "no"}, {}),
        ("yes_no", "select", {"A": "yes"}, {"A": "yes"}, {}),
        ("select", "text", {"A": "gold"}, {"A": "Gold"}, TIERS),
        ("select", "multi_select", {"A": "gold"}, {"A": ["gold"]}, TIERS),
        ("multi_select", "select", {"A": "gold", "B": "gold; silver"}, {"A": "gold", "B": None}, TIERS),
        ("multi_select", "text", {"A": "gold; silver"}, {"A": "Gold; Silver"}, TIERS),
        ("user", "text", {"A": "rep@acme.example"}, {"A": "Rep"}, {}),
        ("text", "user", {"A": "Rep", "B": "Nobody"}, {"A": "rep", "B": None}, {}),
        ("link", "text", {"A": "Metro"}, {"A": "Metro"}, {"target": "contact"}),
    ],
)  # fmt: skip
def test_values_are_converted_and_one_undo_brings_them_back(
    type_, to, entered, expected, attributes, acme, cast, actor
):
    acme.timezone = "Europe/Madrid"
    acme.save()
    make_contact("Metro")
    field, by = make_field("tier", type_, **attributes), actor("admin")
    people(entered)
    before, versions, version = stored(), dict(Contact.objects.values_list("pk", "version")), acme.schema_version
    made = convert(field, to, by)
    expected = {name: cast.rep.pk if value == "rep" else value for name, value in expected.items()}
    assert {name: value for name, value in stored().items() if name != "Metro"} == expected
    assert (made.converted, made.lost) == (
        sum(v is not None for v in expected.values()),
        sum(v is None for v in expected.values()),
    )
    assert (field.type, acme.schema_version != version) == (to, True)
    assert schema("contact").field("tier").type == to
    changed = {entry.entity_id for entry in Entry.objects.filter(event="contact.field_converted", change=by.change)}
    assert changed == {pk for pk, version in Contact.objects.values_list("pk", "version") if version != versions[pk]}
    again = actor("admin")
    assert undo(by.change, by=again).reverted == len(changed) + 1
    assert stored() == before
    field.refresh_from_db()
    assert (field.type, field.choices, field.target) == (
        type_,
        attributes.get("choices", []),
        attributes.get("target", ""),
    )
    assert schema("contact").field("tier").type == type_
    undo(again.change, by=actor("admin"))
    assert {name: value for name, value in stored().items() if name != "Metro"} == expected


def test_only_conversions_that_make_sense_are_offered(acme, actor, sign_in):
    field = make_field("tier", "link", target="company")
    page = sign_in("admin").get(reverse("convert_field", args=[field.pk])).content.decode()
    assert re.findall(r'<option value="(\w+)"', page) == ["text", "long_text"]
    with pytest.raises(Refused, match="can’t be converted to Number"):
        convert_custom_field(field, T.NUMBER, by=actor("admin"))
    with pytest.raises(NotAllowed):
        convert_custom_field(field, T.TEXT, by=actor("manager"))
    archive_custom_field(field, by=actor("admin"))
    with pytest.raises(Refused, match="Restore the field"):
        convert_custom_field(field, T.TEXT, by=actor("admin"))


def test_the_preview_says_what_converts_and_what_is_lost(acme, cast, sign_in):
    field = make_field("tier", "text")
    ana, bo, cem = people({"Ana": "12", "Bo": "many", "Cem": "7"})
    page = sign_in("admin").get(reverse("convert_field", args=[field.pk]) + "?type=number")
    shown = " ".join(unescape(page.content.decode()).split())
    assert "<dt>Values</dt> <dd>3</dd>" in shown
    assert "<dt>To convert</dt> <dd>2</dd>" in shown
    assert "<dt>To lose</dt> <dd>1</dd>" in shown
    lost, converted = shown.partition("Examples of converted values")[::2]
    assert f'href="{bo.get_absolute_url()}"' in lost and "“many” isn’t a valid number" in lost
    assert all(f'href="{each.get_absolute_url()}"' in converted for each in (ana, cem))
    assert "Convert and lose 1 value" in shown
    assert stored() == {"Ana": "12", "Bo": "many", "Cem": "7"}
    assert schema("contact").field("tier").type == "text"


def test_the_page_converts_and_offers_undo(acme, cast, sign_in):
    field = make_field("tier", "text")
    people({"Ana": "12", "Bo": "many"})
    admin, url = sign_in("admin"), reverse("convert_field", args=[field.pk])
    seen = survey(field, T.NUMBER).seen
    page = unescape(admin.post(url, {"type": "number", "seen": seen}, follow=True).content.decode())
    assert "Field converted, with 1 value." in page
    change = Entry.objects.get(event="custom_field.converted").change
    assert reverse("undo", args=[change]) in page
    assert "many" in unescape(admin.get("/settings/audit/").content.decode())
    admin.post(reverse("undo", args=[change]))
    assert stored() == {"Ana": "12", "Bo": "many"}


def test_more_is_never_lost_than_was_shown(acme, actor, sign_in):
    field = make_field("tier", "text")
    ana, bo = people({"Ana": "12", "Bo": "many"})
    seen = survey(field, T.NUMBER).seen
    edit(rows(ana), {"tier": "a dozen"}, by=actor("rep"))
    page = sign_in("admin").post(reverse("convert_field", args=[field.pk]), {"type": "number", "seen": seen})
    assert page.status_code == 422
    assert "Records have changed: 2 values would be lost now." in unescape(page.content.decode())
    assert survey(field, T.NUMBER).seen in page.content.decode()
    assert stored() == {"Ana": "a dozen", "Bo": "many"}
    edit(rows(ana, bo), {"tier": "5"}, by=actor("rep"))
    convert_custom_field(field, T.NUMBER, by=actor("admin"), seen=seen)  # nothing is lost
    assert stored() == {"Ana": 5, "Bo": 5}


def test_too_many_different_values_make_no_options(acme, actor):
    field = make_field("tier", "text")
    with pytest.raises(Refused, match="no values that could become options"):
        convert_custom_field(field, T.SELECT, by=actor("admin"))
    people({f"Person {number}": f"Tier {number}" for number in range(MOST_OPTIONS + 1)})
    with pytest.raises(Refused, match="Tier has more than 100 different values"):
        convert_custom_field(field, T.SELECT, by=actor("admin"))
    edit(Contact.objects.filter(name="Person 100"), {"tier": "TIER 0"}, by=actor("manager"))
    convert_custom_field(field, T.SELECT, by=actor("admin"))
    assert [choice["label"] for choice in field.choices[:3]] == ["Tier 0", "Tier 1", "Tier 10"]


def test_options_that_differ_by_a_sign_stay_apart(acme, actor):
    field = make_field("tier", "text")
    people({"Ana": "A", "Bo": "A-", "Cem": "a"})
    convert_custom_field(field, T.SELECT, by=actor("admin"))
    assert stored() == {"Ana": "A", "Bo": "A-", "Cem": "A"}
    assert found('tier = "A-"') == {"Bo"}


def test_settings_that_would_break_refuse_by_name(acme, cast, actor, sign_in, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    made, by = make_settings(cast, actor, sign_in), actor("admin")
    with pytest.raises(InUse) as refused:
        convert_custom_field(made.field, T.NUMBER, by=by)
    named = " ".join(label for label, _url in refused.value.uses)
    for name in ("Only Gold", "Gold first", "With tiers", "Welcome", "Golden", "Spring"):
        assert name in named
    url = reverse("convert_field", args=[made.field.pk])
    page = " ".join(unescape(sign_in("admin").get(f"{url}?type=number").content.decode()).split())
    assert "The field can’t be converted while a setting needs its present type." in page
    assert "Assignment rule “Gold first”" in page and "Change it first" in page and "Keeps working" in page
    convert_custom_field(made.field, T.TEXT, by=by)  # the labels of all options are their keys
    assert CustomField.objects.get(key="tier").type == "text"


def test_a_condition_that_would_match_other_records_refuses_too(acme, actor):
    field = make_field("tier", "select", choices=[{"value": "g1", "label": "Gold"}])
    save_view("contact", "Golden", by=actor("manager"), condition="tier = Gold", shared=True)
    with pytest.raises(InUse, match="view “Golden”"):
        convert_custom_field(field, T.TEXT, by=actor("admin"))
    convert_custom_field(field, T.MULTI_SELECT, by=actor("admin"))
    assert CustomField.objects.get(key="tier").type == "multi_select"


def test_conditions_keep_their_records(acme, actor):
    field = make_field("tier", "text")
    people({"Ana": "Gold", "Bo": "Tin", "Cem": "gold"})
    save_view("contact", "Golden", by=actor("manager"), condition="tier = Gold", shared=True)
    assert found("tier = gold") == {"Ana", "Cem"}
    for to in (T.SELECT, T.MULTI_SELECT, T.SELECT, T.TEXT):
        convert_custom_field(field, to, by=actor("admin"))
        assert found("tier = gold") == {"Ana", "Cem"}, to


def test_values_entered_since_are_converted_back(acme, actor):
    field, by = make_field("tier", "text"), actor("admin")
    ana, bo, _cem = people({"Ana": "012", "Bo": "many", "Cem": "7"})
    convert(field, "number", by)
    edit(rows(ana), {"tier": "5"}, by=actor("rep"))
    edit(rows(bo), {"tier": "6.5"}, by=actor("rep"))
    make_contact("Dov", tier="9")
    start(by.change, by=actor("admin"))
    assert stored() == {"Ana": "5", "Bo": "6.5", "Cem": "7", "Dov": "9"}


def test_a_value_that_cannot_go_back_refuses_the_undo_by_name(acme, actor, sign_in):
    field, by = make_field("tier", "number"), actor("admin")
    ana, _bo = people({"Ana": "12", "Bo": "7"})
    convert(field, "text", by)
    edit(rows(ana), {"tier": "a dozen"}, by=actor("rep"))
    with pytest.raises(Refused, match="1 value entered since isn’t valid for Number, of Ana"):
        undo(by.change, by=actor("admin"))
    assert (CustomField.objects.get(key="tier").type, schema("contact").field("tier").type) == ("text", "text")
    edit(rows(ana), {"tier": "13"}, by=actor("rep"))
    undo(by.change, by=actor("admin"))
    assert stored() == {"Ana": 13, "Bo": 7}


def test_an_undo_is_for_admins_and_for_a_field_as_it_was_left(acme, actor):
    field, by = make_field("tier", "text"), actor("admin")
    people({"Ana": "12"})
    convert(field, "number", by)
    with pytest.raises(NotAllowed):
        undo(by.change, by=actor("manager"))
    save_view("contact", "Large", by=actor("manager"), condition="tier > 5", shared=True)
    with pytest.raises(InUse, match="view “Large”"):
        undo(by.change, by=actor("admin"))
    save_view("contact", "Large", by=actor("manager"), condition="", slug="large", shared=True)
    convert(field, "money", actor("admin"))
    with pytest.raises(Refused, match="the field has changed since"):
        undo(by.change, by=actor("admin"))


def test_an_older_change_is_not_undone_into_the_wrong_type(acme, actor):
    field = make_field("tier", "text")
    [ana] = people({"Ana": "soon"})
    earlier = actor("rep")
    edit(rows(ana), {"tier": "2026-03-31"}, by=earlier)
    convert(field, "date", actor("admin"))
    with pytest.raises(Refused, match="Tier had another type then"):
        undo(earlier.change, by=actor("rep"))
    assert stored() == {"Ana": "2026-03-31"}


def test_history_of_another_type_is_shown_as_it_was(acme, actor, sign_in):
    field = make_field("tier", "text")
    [ana] = people({"Ana": "soon"})
    convert(field, "date", actor("admin"))
    edit(rows(ana), {"tier": "2026-03-31"}, by=actor("rep"))
    convert(field, "text", actor("admin"))
    edit(rows(ana), {"tier": "late"}, by=actor("rep"))
    convert(field, "number", actor("admin"))
    for client, url in ((sign_in("rep"), ana.get_absolute_url()), (sign_in("admin"), "/settings/audit/")):
        page = client.get(url)
        assert page.status_code == 200
        assert all(value in page.content.decode() for value in ("soon", "2026-03-31", "late"))


def test_scores_follow_what_was_lost(acme, actor):
    field, rules = make_field("tier", "text"), deepcopy(RULES)
    rules["fit"].append({"label": "Tier", "cases": [{"when": "contact.tier is not empty", "points": 10}]})
    save_scoring_model("With tiers", rules, 30, by=actor("admin"))
    people({"Ana": "12", "Bo": "many"})
    fit = {lead.contact.name: lead.score.fit for lead in Lead.objects.all()}
    convert(field, "number", actor("admin"))
    assert {lead.contact.name: fit[lead.contact.name] - lead.score.fit for lead in Lead.objects.all()} == {
        "Ana": 0,
        "Bo": 10,
    }


def test_a_conversion_is_no_edit_for_workflows(acme):
    assert "contact.updated" in changing("contact")
    assert "contact.field_converted" not in changing("contact")


def test_values_are_written_in_batches_those_in_the_trash_too(acme, actor, monkeypatch):
    monkeypatch.setattr(rewriting, "BATCH", 2)
    field, by = make_field("tier", "text"), actor("admin")
    made = people({f"Person {number}": str(number) for number in range(5)})
    delete(rows(made[0]), by=actor("manager"), reason="twice")
    convert(field, "number", by)
    assert list(stored().values()) == [0, 1, 2, 3, 4]
    assert Entry.objects.filter(event="contact.field_converted").count() == 5
    undo(by.change, by=actor("admin"))
    assert list(stored().values()) == ["0", "1", "2", "3", "4"]
