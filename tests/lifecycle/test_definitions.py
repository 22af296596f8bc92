"""Stage definitions: testable, versioned, written by admins, shown on each record."""

import re
from datetime import UTC, datetime

import pytest

from audit.models import Entry
from contacts.axes import LIFECYCLE
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.errors import Invalid, NotAllowed
from crm.lifecycle.axes import all_axes
from crm.lifecycle.definitions import definitions, ends
from crm.lifecycle.models import StageDefinition
from crm.lifecycle.verbs.save_definition import save_definition
from tests.factories import make_company, make_contact

pytestmark = pytest.mark.once

WORDS = {"meaning": "Worth a call", "entry": "E-mail is not empty", "exit": "lead_score >= 50", "expected_days": 9}


def test_every_value_of_every_axis_ships_with_conditions_that_can_be_observed(acme):
    for axis in all_axes():
        for value, shipped in definitions(axis).items():
            entry = parse(shipped.entry, axis.entity, people=False)
            assert entry.fields() - {axis.field, axis.since}, (axis.entity, value)
            parse(shipped.exit, axis.entity, people=False)
            assert shipped.exit or ends(axis, value), (axis.entity, value)
            assert shipped.meaning and shipped.key_question and shipped.next_action


def test_an_admin_writes_the_next_version_and_those_before_stay(acme, actor):
    first = save_definition(LIFECYCLE, "lead", WORDS, by=actor("admin"))
    second = save_definition(LIFECYCLE, "lead", WORDS | {"meaning": "Somebody new"}, by=actor("admin"))
    assert (first.version, second.version) == (1, 2)
    assert definitions(LIFECYCLE)["lead"].meaning == "Somebody new"
    assert definitions(LIFECYCLE)["lead"].entry == "email is not empty"
    assert definitions(LIFECYCLE)["qualified"].version == 0
    assert StageDefinition.objects.get(version=1).meaning == "Worth a call"
    entry = Entry.objects.filter(event="stage_definition.created").latest("id")
    assert entry.new_values["meaning"] == "Somebody new"
    assert entry.new_values["expected_days"] == 9


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"entry": ""}, "entry"),
        ({"entry": "looks interested"}, "entry"),
        ({"entry": "lifecycle_stage = Lead"}, "entry"),
        ({"entry": "owner = me"}, "entry"),
        ({"exit": ""}, "exit"),
        ({"meaning": " "}, "meaning"),
        ({"meaning": "x" * 301}, "meaning"),
    ],
)
def test_a_definition_that_nobody_can_observe_is_refused(acme, actor, words, field):
    with pytest.raises(Invalid) as refused:
        save_definition(LIFECYCLE, "lead", WORDS | words, by=actor("admin"))
    assert set(refused.value.errors) == {field}
    assert not StageDefinition.objects.exists()


def test_nothing_has_to_lead_on_from_a_value_that_ends(acme, actor):
    assert save_definition(LIFECYCLE, "partner", WORDS | {"exit": ""}, by=actor("admin")).exit == ""


def test_only_admins_define(acme, actor, sign_in):
    with pytest.raises(NotAllowed):
        save_definition(LIFECYCLE, "lead", WORDS, by=actor("manager"))
    page = sign_in("manager").get("/lifecycle/contact/lifecycle_stage/lead").content.decode()
    assert "Publish new version" not in page
    assert "Does this customer fit our ICP?" in page


def test_the_page_saves_and_says_what_is_wrong(acme, sign_in):
    client, url = sign_in("admin"), "/lifecycle/contact/lifecycle_stage/lead"
    assert client.post(url, WORDS | {"entry": "nonsense here"}).status_code == 422
    assert client.post(url, WORDS).status_code == 302
    assert "version 1" in client.get(url).content.decode()
    assert "Worth a call" in client.get("/lifecycle").content.decode()


def test_a_badge_tells_each_condition_with_its_value(acme, cast, sign_in):
    contact = make_contact(email="", phone="123", owner=cast.rep)
    url = f"/lifecycle/contact/lifecycle_stage/of/{contact.public_id}"
    whole = sign_in("rep").get(url).content.decode()
    part = sign_in("rep").get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" in whole
    assert "<html" not in part
    for page in (whole, part):
        assert "Email is not empty" in page
        assert "✗" in page
        assert "✓" in page
    assert url in sign_in("rep").get(contact.get_absolute_url()).content.decode()


def test_the_evidence_tells_nothing_of_a_company_that_one_does_not_see(acme, cast, actor, sign_in):
    company = make_company("Fleetly", team=cast.nordics, owner=cast.outsider, industry="taxi")
    contact = make_contact(company=company, owner=cast.rep)
    save_definition(LIFECYCLE, "lead", WORDS | {"entry": "company.industry = taxi"}, by=actor("admin"))
    url = f"/lifecycle/contact/lifecycle_stage/of/{contact.public_id}"
    assert ">taxi<" in sign_in("manager").get(url).content.decode()
    assert ">taxi<" not in sign_in("rep").get(url).content.decode()


def test_the_evidence_shows_values_as_people_read_them(acme, cast, actor, sign_in):
    with clock.at(datetime(2026, 3, 31, 12, tzinfo=UTC)):
        contact = make_contact(owner=cast.rep, role="decision_maker", team=cast.iberia)
    entry = "role = blocker and owner is not empty and team is not empty and created_at > 2020-01-01 and lead_score = 0"
    save_definition(LIFECYCLE, "lead", WORDS | {"entry": entry}, by=actor("admin"))
    page = sign_in("rep").get(f"/lifecycle/contact/lifecycle_stage/of/{contact.public_id}").content.decode()
    values = re.findall(r'<span class="value">([^<]*)</span>', page)
    assert values[:5] == ["Decision maker", "Rep", "Iberia", "31 Mar 2026, 12:00", "0.0"]
