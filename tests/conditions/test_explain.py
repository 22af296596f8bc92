"""Explanations with ✓ or ✗ and the record's value in one SELECT; chips; and failing guards per record."""

from datetime import timedelta
from decimal import Decimal

import pytest

from crm.conditions.compile import Viewer
from crm.conditions.condition import explain_many
from crm.conditions.explain import failing
from crm.conditions.parse import parse
from crm.kit.language import speaking
from tests.conditions.app.models import Deal, Firm, Person
from tests.conditions.conftest import NOW

pytestmark = pytest.mark.once


def lines(found):
    return [(line.depth, line.group, line.text, line.ok, line.value) for line in found]


def explained(text, pk, viewer=None):
    return lines(parse(text, "person").explain(Person.objects.all(), pk, viewer or Viewer(), NOW))


def test_each_leaf_shows_its_value(person, django_assert_num_queries):
    ann = person("Ann", headcount=3, company=Firm.objects.create(name="Fleetly", fleet_size=60), last_activity=NOW)
    condition = parse("headcount > 5 and company.fleet_size >= 50 and company = acme and title is empty", "person")
    with django_assert_num_queries(1):
        found = condition.explain(Person.objects.all(), ann.pk, Viewer(), NOW + timedelta(days=1))
    assert lines(found) == [
        (0, "", "Headcount more than 5", False, 3),
        (0, "", "Company / Fleet size at least 50", True, 60),
        (0, "", "Company is acme", False, "Fleetly"),
        (0, "", "Job title is empty", True, None),
    ]


def test_groups_head_their_parts(person):
    ann = person("Ann", headcount=3, budget=7)
    text = "at least 2 of (headcount > 1, budget > 9, name = ann) and not (budget = 7 or name = bo)"
    assert explained(text, ann.pk) == [
        (0, "at least", "at least 2 of: Headcount more than 1, Budget more than 9, Name is ann", True, 2),
        (1, "", "Headcount more than 1", True, 3),
        (1, "", "Budget more than 9", False, Decimal("7")),
        (1, "", "Name is ann", True, "Ann"),
        (0, "not", "not (Budget is 7 or Name is bo)", False, None),
        (1, "or", "Budget is 7 or Name is bo", True, None),
        (2, "", "Budget is 7", True, Decimal("7")),
        (2, "", "Name is bo", False, "Ann"),
    ]


def test_of_several_rows_the_one_that_decides_is_shown(person):
    ann = person("Ann")
    for stage, amount in (("lost", 1), ("won", 9), ("won", 2)):
        Deal.objects.create(person=ann, name="Deal", stage=stage, amount=amount)
    assert explained(
        "opportunities.amount > 5 and any opportunity (stage = won) and opportunities is empty", ann.pk
    ) == [
        (0, "", "Opportunities / Amount more than 5", True, Decimal("9")),
        (0, "any", "any of Opportunities with Stage is Won", True, 2),
        (0, "", "Opportunities is empty", False, None),
    ]


def test_a_record_out_of_sight_is_not_explained(person):
    ann = person("Ann")
    with pytest.raises(Person.DoesNotExist):
        parse("name = ann", "person").explain(Person.objects.exclude(pk=ann.pk), ann.pk, Viewer(), NOW)


def test_the_guards_of_a_page_take_one_select(person, django_assert_num_queries):
    ann = person("Ann", headcount=3)
    guards = {"size": parse("headcount >= 40", "person"), "title": parse("title is not empty or name = ann", "person")}
    guards["free"] = parse("", "person")
    with django_assert_num_queries(1):
        found = explain_many(guards, Person.objects.all(), ann.pk, Viewer(), NOW)
    assert {key: [line.ok for line in each] for key, each in found.items()} == {
        "size": [False],
        "title": [True, False, True],
        "free": [],
    }


def test_failing_names_the_first_guard_that_is_false(person, django_assert_num_queries):
    ok = person("ok", title="CEO", headcount=50)
    small = person("small", title="CEO", headcount=5)
    both = person("both")
    guards = {"title": parse("title is not empty", "person"), "size": parse("headcount >= 40", "person")}
    with django_assert_num_queries(1):
        assert failing(guards, Person, [ok.pk, small.pk, both.pk], Viewer()) == {small.pk: "size", both.pk: "title"}
    assert failing(guards, Person, [ok.pk], Viewer()) == {}
    assert failing({"free": parse("", "person")}, Person, [both.pk], Viewer()) == {}


def test_chips_read_as_sentences(cast):
    text = "stage in (lead, qualified) and owner != bo and last_activity > 90 days ago and birthday < 2026-01-01"
    condition = parse(f"{text} and (name = a or title is empty)", "person")
    assert [(chip.field, chip.operator, chip.value) for chip in condition.chips()] == [
        ("Lifecycle Stage", "is", "Lead or Qualified"),
        ("Owner", "is not", "Bo"),
        ("Last activity", "more than", "90 days ago"),
        ("Date of birth", "before", "1 Jan 2026"),
        ("Name is a or Job title is empty", "", ""),
    ]
    assert condition.without(0).startswith("owner != member_")
    assert condition.without(4) == parse(text, "person").key_text
    assert parse("name = a", "person").without(0) == ""
    with pytest.raises(IndexError):
        condition.without(5)


def test_the_fields_that_a_condition_uses(workspace):
    text = "name = a or company.industry = taxi or any opportunity (stage = won and person.title is empty)"
    assert parse(text, "person").fields() == {
        "name",
        "company.industry",
        "opportunities",
        "opportunities.stage",
        "opportunities.person.title",
    }


def test_a_condition_is_read_as_a_sentence_in_each_language(workspace):
    condition = parse("stage in (lead, qualified) and (name is empty or budget > 48000)", "person")
    assert condition.sentence == "Lifecycle Stage is Lead or Qualified and (Name is empty or Budget more than 48,000)"
    with speaking("de"):
        assert condition.sentence.endswith("und (Name ist leer oder Budget mehr als 48.000)")
