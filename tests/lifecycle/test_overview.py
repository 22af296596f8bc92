"""The page of all stages: moves to each, final ones, and records that contradict their stage."""

from html import unescape

import pytest

from contacts.axes import LIFECYCLE
from crm.lifecycle.axes import all_axes
from crm.lifecycle.definitions import contradicts_entry_criteria, definitions, ends, find_axis, moves_leading_to
from tests.factories import make_contact, make_opportunity


def by_hand(entity: str, axis: str, value: str) -> set[str]:
    return {move.verb for move in moves_leading_to(find_axis(entity, axis), value) if not move.by_rule}


@pytest.mark.parametrize(
    ("entity", "axis", "value", "verbs"),
    [
        ("contact", "lifecycle_stage", "qualified", {"qualify", "override"}),
        ("contact", "lifecycle_stage", "lead", {"reopen", "override"}),
        ("lead", "stage", "top_of_funnel", set()),
        ("lead", "stage", "sales_qualified", {"qualify"}),
        ("lead", "stage", "opportunity", set()),
        ("lead", "status", "converted", {"convert"}),
        ("opportunity", "stage", "proposal", {"move_stage", "reopen", "change_pipeline"}),
        ("opportunity", "stage", "won", {"win"}),
        ("opportunity", "stage", "lost", {"lose"}),
    ],
)
def test_a_value_names_the_moves_that_lead_to_it(entity, axis, value, verbs, acme):
    assert by_hand(entity, axis, value) == verbs


def test_a_value_that_ends_says_so_instead_of_exit_criteria(acme, sign_in):
    page = sign_in("rep").get("/lifecycle").content.decode()
    final = [
        (axis, value)
        for axis in all_axes()
        for value, definition in definitions(axis).items()
        if not definition.exit and ends(axis, value)
    ]
    assert page.count('<span class="muted">Final</span>') == len(final) > 4
    assert "Final" in sign_in("rep").get("/lifecycle/contact/lifecycle_stage/lost").content.decode()


def test_records_that_contradict_their_stage_are_a_list(acme, cast, sign_in):
    make_contact("Told so", stage="customer")
    bought = make_contact("Bought", stage="qualified")
    make_opportunity(contact=bought, stage="won")
    response = sign_in("manager").get("/lifecycle")
    lines = {(axis.entity, axis.field): lines for axis, _, lines in response.context["axes"]}
    line = next(line for line in lines["contact", "lifecycle_stage"] if line["choice"].value == "customer")
    page = sign_in("manager").get(line["contradicting"])
    assert page.context["state"].error == ""
    assert {row[3] for row in page.context["page"].found} == {"Told so"}
    shown = sign_in("manager").get("/lifecycle/contact/lifecycle_stage/customer").content.decode()
    assert unescape(line["contradicting"]) in unescape(shown)


def test_every_stage_has_that_list(acme, sign_in):
    manager = sign_in("manager")
    response = manager.get("/lifecycle")
    for _, _, lines in response.context["axes"]:
        for line in lines:
            assert manager.get(line["contradicting"]).context["state"].error == "", line["choice"].value


def test_a_definition_that_cannot_be_read_has_no_such_list(acme):
    broken = definitions(LIFECYCLE)["lead"]
    assert contradicts_entry_criteria(LIFECYCLE, "lead", type(broken)("m", "k", "n", "shoe = 43")) == ""
