"""Phrases for unmet criteria."""

import pytest

from crm.conditions.parse import parse
from crm.conditions.unmet import unmet
from crm.conditions.write import LabelWriter
from crm.kit.language import speaking

PHRASES = {
    "title is not empty": "No job title",
    "title is empty": "Job title isn’t empty",
    "role = DecisionMaker": "Role isn’t DecisionMaker",
    "role in (Champion, Blocker)": "Role is none of Champion, Blocker",
    "role != User": "Role is User",
    "headcount >= 1200": "Headcount is below 1,200",
    "headcount > 5": "Headcount isn’t above 5",
    "discount < 12.5%": "Discount isn’t below 12.5%",
    "not_interested = no": "Not interested: yes",
    "name contains gmbh": "Name doesn’t contain “gmbh”",
    "owner = me": "Owner isn’t you",
    "last_activity <= 14 days ago": "No activity for 14 days",
    "last_activity > 1 month ago": "Last activity isn’t more than 1 month ago",
    "birthday <= 2 weeks ago": "No date of birth in the last 2 weeks",
    "birthday <= 30 days from now": "No date of birth in the next 30 days",
    "birthday >= today": "No upcoming date of birth",
    "birthday < 2026-03-31": "No date of birth before 31 Mar 2026",
    "title is not empty or company is not empty": "No job title, No company",
    "company.fleet_size >= 50": "Fleet size is below 50",
    "company.name is not empty": "No company / name",
    "vip = yes": "VIP: no",
    "renewal is not empty": "No Renewal date",
    "any opportunities (stage = won)": "No opportunities where Stage = Won",
    "opportunities.amount > 5": "Opportunities.Amount > 5",
    "not (role = User)": "not Role = User",
}


@pytest.mark.parametrize(("condition", "phrase"), PHRASES.items())
def test_an_unmet_criterion_reads_as_a_phrase(condition, phrase, custom):
    assert unmet(parse(condition, "person").root, LabelWriter()) == phrase


def test_in_german_nouns_keep_their_capital(workspace):
    with speaking("de"):
        assert "Job title" in unmet(parse("title is not empty", "person").root, LabelWriter())
