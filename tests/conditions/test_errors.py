"""An error names the word, its position and the nearest valid one."""

import pytest

from crm.conditions.errors import ConditionError
from crm.conditions.parse import MAX_LENGTH, parse
from crm.entities.models import CustomField
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.kit.actor import system

pytestmark = pytest.mark.once

CASES = [
    # text, word, offset, suggestion, part of the message
    ("stge = lead", "stge", 0, "stage", "Person has no field “stge”. Did you mean “stage”? (position 1)"),
    ("name = a and Lifecycle Stag = lead", "Lifecycle Stag", 13, "Lifecycle Stage", "(position 14)"),
    (
        "stage = Qualifed",
        "Qualifed",
        8,
        "Qualified",
        "isn’t a valid value for Lifecycle Stage. Did you mean “Qualified”?",
    ),
    ("stage in (lead, zzz)", "zzz", 16, "", "Choose from: Lead, Qualified, Customer"),
    ("company.nam = x", "nam", 8, "Name", "Firm has no field “nam”"),
    ("name.x = 3", "x", 5, "", "“Name” doesn’t link"),
    ("owner = An Ruiz", "An Ruiz", 8, "Ann Ruiz", "No user named “An Ruiz”"),
    ("owner = Cy", "Cy", 8, "", "More than one user is named “Cy”"),
    ("owner > me", ">", 6, "", "Owner doesn’t support “>”. Use =, !=, in, not in"),
    ("name < 3", "<", 5, "", "Name doesn’t support “<”"),
    ("opportunities = 3", "=", 14, "", "Use is empty, is not empty"),
    ("discount = 5", "5", 11, "", "isn’t a valid percentage, e.g. 50%"),
    ("headcount = 50%", "50%", 12, "", "isn’t a valid number"),
    ("headcount = 1,000", ",", 13, "", "Unexpected"),
    ("birthday = yesterday", "yesterday", 11, "", "2026-03-31, today, 30 days ago"),
    ("birthday = 2026-02-30", "2026-02-30", 11, "", "isn’t a valid date"),
    ("birthday > 3 hours ago", "3 hours ago", 11, "", "Use days, weeks or months"),
    ("birthday < now", "now", 11, "", "has no time. Use “today”"),
    ("last_activity = now", "now", 16, "", "Use “now” with <, <=, > or >="),
    ("last_activity = 2 weeks ago", "2 weeks ago", 16, "", "count in days"),
    ("last_activity > 999999 days ago", "999999 days ago", 16, "", "Use at most 36,500 days"),
    ("[Not interested] = maybe", "maybe", 19, "", "must be yes or no"),
    ("at least 3 of (name = a, name = b)", "3", 9, "", "Enter a number from 1 to 2"),
    ("at least of (name = a)", "of", 9, "", "at least 2 of"),
    ("any company (name = a)", "company", 4, "", "Choose from: Reports, Opportunities"),
    ("any name.x (title = a)", "x", 9, "", "“Name” doesn’t link"),
    ("any compny.people (name = a)", "compny", 4, "Company", "Person has no field “compny”"),
    ("manager.manager.manager.manager.manager.name = a", "manager", 0, "", "up to 4 links"),
    ("any opportunity (amont > 3)", "amont", 17, "Amount", "Opportunity has no field “amont”"),
    ("name = a)", ")", 8, "", "Expected “and”, “or” or the end"),
    ("(name = a", "", 9, "", "Missing closing parenthesis"),
    ("name = a or", "", 11, "", "Incomplete query"),
    ("name lead", "", 9, "", "Expected an operator after the field"),
    ("name =", "", 6, "", "Missing value"),
    ("name in ()", ")", 9, "", "Missing value"),
    ("name in a", "a", 8, "", "Expected an opening parenthesis"),
    ('name = "open', '"open', 7, "", "Missing value"),
    ('name = ""', '""', 7, "", "Use “is empty”"),
    ("name = a\0b", "\0", 8, "", "Invalid character at position 9"),
    ("name = \ud800", "\ud800", 7, "", "Invalid character at position 8"),
]


@pytest.mark.parametrize(("text", "word", "position", "suggestion", "sentence"), CASES, ids=[c[0] for c in CASES])
def test_an_error_names_the_word_and_its_place(cast, text, word, position, suggestion, sentence):
    with pytest.raises(ConditionError) as caught:
        parse(text, "person")
    error = caught.value
    assert sentence in str(error)
    assert (error.word, error.position, error.suggestion) == (word, position, suggestion)


@pytest.mark.parametrize("text", ["owner = me", "owner in (bo, ME)", "team = my team"])
def test_me_is_refused_where_nobody_looks_on(cast, text):
    assert parse(text, "person")
    with pytest.raises(ConditionError, match="no signed-in user"):
        parse(text, "person", people=False)
    assert parse("owner = bo", "person", people=False)


def test_an_archived_field_is_named(workspace, custom):
    field = CustomField.objects.get(key="rating")
    assert parse("rating = 1", "person").fields() == {"rating"}
    archive_custom_field(field, by=system(workspace.pk))
    with pytest.raises(ConditionError, match="The field “Rating” is archived"):
        parse("rating = 1", "person")


def test_what_is_too_long_or_too_deep_is_refused(workspace):
    with pytest.raises(ConditionError, match="up to 4,000 characters"):
        parse("name = " + "a" * MAX_LENGTH, "person")
    with pytest.raises(ConditionError, match="nested up to"):
        parse("not " * 200 + "name = a", "person")
    assert parse("(" * 200 + "name = a" + ")" * 200, "person").key_text == "name = a"


def test_more_links_than_sqlite_joins_are_refused(workspace, monkeypatch):
    monkeypatch.setattr("crm.conditions.parse.MAX_JOINS", 5)
    text = "manager.manager.manager.company.name = a"
    assert parse(f"{text} or manager.company.name = a", "person")
    with pytest.raises(ConditionError, match="up to 5 different links"):
        parse(f"{text} or manager.company.name = a or manager.lead.status = new", "person")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (" or ".join(["name = a"] * 101), "has 101 comparisons. The limit is 100"),
        ("any reports (any reports (any reports (name = a)))", "nests related lists 3 levels deep. The limit is 2"),
        ("not at least 1 of (any reports (name = a and reports.reports.name = b))", "3 levels deep"),
        ("any company.people (any company.people (any company.people (name = a)))", "3 levels deep"),
        ("any reports (any reports (opportunities is empty))", "3 levels deep"),
        (" or ".join(["reports.name = a"] * 11), "related lists 11 times. The limit is 10"),
    ],
)
def test_what_would_cost_too_much_is_refused(workspace, text, sentence):
    with pytest.raises(ConditionError, match=sentence):
        parse(text, "person")
