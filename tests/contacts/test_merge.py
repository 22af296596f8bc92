"""Merge, and unmerge by undo."""

from datetime import UTC, datetime

import pytest
from django.utils.html import strip_tags

from audit.models import Entry
from audit.undo.undo import undo
from contacts import timeline
from contacts.models import Activity, Contact, EngagementEvent
from contacts.verbs.capture import capture
from contacts.verbs.merge import merge
from crm.kit import clock
from crm.kit.errors import Invalid, Refused
from crm.lifecycle.models import Transition
from crm.records.verbs.edit import edit
from tests.factories import make_activity, make_company, make_contact, make_field, rows
from tests.log import assert_nothing_written, entries, moves, written

DERIVED = {"version", "updated_at"}


def everything():
    """Return every contact and activity, without columns that every write changes."""
    found = [*Contact.objects.order_by("pk").values(), *Activity.objects.order_by("pk").values()]
    return [{key: value for key, value in row.items() if key not in DERIVED} for row in found]


@pytest.fixture
def couple(acme, cast):
    """Return a survivor with blanks, and a duplicate that fills them."""
    make_field("fleet_size", "number")
    company, boss = make_company("Metro Cabs"), make_contact("Boss")
    survivor = make_contact("Ana Ruiz", email="", title="CFO", owner=cast.rep)
    duplicate = make_contact(
        "A. Ruiz",
        email="ana@metro.example",
        title="Finance",
        phone="+34 600",
        company=company,
        manager=boss,
        fleet_size=str(survivor.pk),  # a number equal to the survivor's key stays a number
        stage="qualified",
    )
    make_activity("Call", contact=duplicate)
    make_activity("Send pricing", kind="task", contact=duplicate)
    make_contact("Report", manager=duplicate)
    return Contact.objects.get(pk=survivor.pk), duplicate


def test_the_survivor_keeps_its_values_and_gets_what_it_lacks(couple, actor):
    survivor, duplicate = couple
    by = actor("manager")
    assert merge(survivor, rows(duplicate), by=by).done == [survivor.pk]
    merged, gone = Contact.objects.get(pk=survivor.pk), Contact.objects.get(pk=duplicate.pk)
    assert (merged.name, merged.title, merged.owner_id) == ("Ana Ruiz", "CFO", survivor.owner_id)
    assert (merged.email, merged.email_key, merged.phone) == ("ana@metro.example", "ana@metro.example", "+34 600")
    assert (merged.company_id, merged.manager_id) == (duplicate.company_id, duplicate.manager_id)
    assert (merged.custom, merged.lifecycle_stage) == ({"fleet_size": survivor.pk}, "qualified")
    assert merged.search_text == "ana ruiz ana@metro.example 34600 metro cabs"
    assert (gone.merged_into_id, gone.deleted_at is None) == (survivor.pk, False)
    assert set(Activity.objects.values_list("contact_id", flat=True)) == {survivor.pk}
    assert Contact.objects.get(name="Report").manager_id == survivor.pk


def test_each_change_has_its_entry_under_one_change(couple, actor):
    survivor, duplicate = couple
    by = actor("manager")
    merge(survivor, rows(duplicate), by=by)
    found = sorted((event, pk, sorted(new)) for event, pk, _, new in written(by))
    filled = ["company", "custom.fleet_size", "email", "last_activity", "manager", "phone"]
    report, activities = Contact.objects.get(name="Report"), Activity.objects.order_by("pk")
    assert found == sorted(
        [
            *(("activity.updated", activity.pk, ["contact"]) for activity in activities),
            ("contact.absorbed", duplicate.pk, ["deleted_at", "merged_into"]),
            ("engagement.moved", EngagementEvent.objects.get().pk, ["contact"]),
            ("contact.merged", survivor.pk, filled),
            ("contact.updated", report.pk, ["manager"]),
            ("contact.updated", survivor.pk, ["lifecycle_stage", "lifecycle_stage_since"]),
        ]
    )
    assert {entry.note for entry in entries(by) if entry.event == "contact.merged"} == {"A. Ruiz"}
    assert moves(by) == [(survivor.pk, "lifecycle_stage", "lead", "qualified", "merge", "A. Ruiz")]
    assert Entry.objects.filter(change=by.change, event="contact.merged").count() == 1


def test_an_unmerge_puts_everything_back(couple, actor):
    survivor, duplicate = couple
    before = everything()
    by, back = actor("manager"), actor("manager")
    merge(survivor, rows(duplicate), by=by)
    assert everything() != before
    undone = undo(by.change, by=back)
    assert (undone.kept, undone.reverted) == ([], len(entries(by)))
    assert everything() == before
    assert Transition.objects.get(change=by.change).undone_by == back.change
    with pytest.raises(Refused, match="nothing left to undo"):
        undo(by.change, by=actor("manager"))


def test_what_happened_since_stays_with_the_survivor(couple, actor):
    survivor, duplicate = couple
    by = actor("manager")
    merge(survivor, rows(duplicate), by=by)
    edit(rows(survivor), {"phone": "+34 700"}, by=actor("manager"))
    note = make_activity("Later", contact=survivor)
    undone = undo(by.change, by=actor("manager"))
    assert undone.kept == [("contact", survivor.pk, "Phone was changed again afterwards.")]
    assert Contact.objects.get(pk=survivor.pk).phone == "+34 700"
    assert Contact.objects.get(pk=duplicate.pk).phone == "+34 600"
    assert Activity.objects.get(pk=note.pk).contact_id == survivor.pk


def test_an_unmerge_leaves_an_address_that_was_taken_meanwhile(couple, actor):
    survivor, duplicate = couple
    by = actor("manager")
    merge(survivor, rows(duplicate), by=by)
    edit(rows(survivor), {"email": "new@metro.example"}, by=actor("manager"))
    capture([{"email": "ana@metro.example"}], by=actor("rep"), source="Chat")
    undone = undo(by.change, by=actor("manager"))
    assert (
        "contact",
        duplicate.pk,
        "Another record now uses this email, domain, external ID or position.",
    ) in undone.kept
    assert Contact.objects.get(pk=duplicate.pk).deleted_at


def test_a_merge_that_fills_nothing_is_told_all_the_same(acme, actor):
    with clock.at(datetime(2026, 3, 1, tzinfo=UTC)):
        survivor, duplicate = make_contact("Ana"), make_contact("Ana")
    by = actor("manager")
    merge(survivor, rows(duplicate), by=by)
    assert [event for event, *_ in written(by)] == ["contact.absorbed", "contact.merged"]


def test_what_was_chosen_wins(couple, actor):
    survivor, duplicate = couple
    merge(survivor, rows(duplicate), by=actor("manager"), choose={"title": "Finance", "name": "A. Ruiz"})
    merged = Contact.objects.get(pk=survivor.pk)
    assert (merged.title, merged.name, merged.name_key) == ("Finance", "A. Ruiz", "a. ruiz")


@pytest.mark.parametrize(
    "choose, error",
    [
        ({"lifecycle_stage": "customer"}, "can’t be edited"),
        ({"status": "bounced"}, "doesn’t change the status"),
        ({"email": "x"}, "isn’t a valid email address"),
        ({"shoe": "43"}, "There’s no field “shoe”"),
    ],
)
def test_what_is_chosen_is_checked(choose, error, couple, actor):
    survivor, duplicate = couple
    by = actor("manager")
    with pytest.raises(Invalid, match=error):
        merge(survivor, rows(duplicate), by=by, choose=choose)
    assert_nothing_written(by)


@pytest.mark.parametrize(
    "stages, furthest",
    [
        (("lost", "lead"), "lead"),
        (("lead", "lost"), "lead"),
        (("qualified", "customer"), "customer"),
        (("customer", "churned"), "customer"),
        (("churned", "partner"), "churned"),
        (("partner", "qualified"), "partner"),
    ],
)
def test_the_stage_that_says_most_stays(stages, furthest, acme, actor):
    survivor, duplicate = (make_contact(stage=stage) for stage in stages)
    by = actor("manager")
    merge(survivor, rows(duplicate), by=by)
    assert Contact.objects.get(pk=survivor.pk).lifecycle_stage == furthest
    assert len(moves(by)) == (furthest != stages[0])


def test_several_at_once_fill_in_their_order(acme, actor):
    survivor = make_contact("Ana", email="")
    first, second = make_contact("B", email="b@x.example", title="B"), make_contact("C", email="c@x.example", phone="1")
    merge(survivor, rows(first, second), by=actor("manager"))
    merged = Contact.objects.get(pk=survivor.pk)
    assert (merged.email, merged.title, merged.phone) == ("b@x.example", "B", "1")


class TestReportingLine:
    def test_nobody_of_the_group_is_the_survivors_manager(self, acme, actor):
        boss = make_contact("Boss")
        duplicate = make_contact("Duplicate", manager=boss)
        survivor = make_contact("Survivor", manager=duplicate)
        by = actor("manager")
        merge(survivor, rows(duplicate), by=by)
        assert Contact.objects.get(pk=survivor.pk).manager == boss
        undo(by.change, by=actor("manager"))
        assert Contact.objects.get(pk=survivor.pk).manager == duplicate

    def test_no_circle_arises(self, acme, actor):
        duplicate = make_contact("Duplicate")
        report = make_contact("Report", manager=duplicate)
        survivor = make_contact("Survivor", manager=report)
        merge(survivor, rows(duplicate), by=actor("manager"))
        assert Contact.objects.get(pk=report.pk).manager == survivor
        assert Contact.objects.get(pk=survivor.pk).manager is None

    def test_a_report_of_the_survivor_does_not_become_its_manager(self, acme, actor):
        survivor = make_contact("Survivor")
        report = make_contact("Report", manager=survivor)
        duplicate = make_contact("Duplicate", manager=report)
        merge(survivor, rows(duplicate), by=actor("manager"))
        assert Contact.objects.get(pk=survivor.pk).manager is None


def test_those_merged_before_follow(acme, actor):
    first, second, third = make_contact("A"), make_contact("B"), make_contact("C")
    merge(second, rows(first), by=actor("manager"))
    by = actor("manager")
    merge(third, rows(second), by=by)
    assert set(Contact.objects.filter(merged_into=third.pk)) == {first, second}
    undo(by.change, by=actor("manager"))
    assert Contact.objects.get(pk=first.pk).merged_into_id == second.pk


def test_a_rep_merges_what_is_theirs_only(open_contact, team_contact, cast, actor):
    other = make_contact(owner=cast.manager)
    by = actor("rep")
    with pytest.raises(Refused, match="belongs to someone else"):
        merge(open_contact, rows(other), by=by)
    with pytest.raises(Refused, match="belongs to someone else"):
        merge(other, rows(open_contact), by=by)
    hidden = make_contact(owner=cast.outsider, team=cast.nordics)
    with pytest.raises(Invalid, match="Choose a different contact"):
        merge(open_contact, rows(hidden), by=by)
    with pytest.raises(Invalid, match="Choose a different contact"):
        merge(open_contact, rows(open_contact), by=by)
    with pytest.raises(Refused, match="belongs to someone else"):
        merge(open_contact, rows(team_contact), by=actor("viewer"))
    assert_nothing_written(by)
    assert merge(open_contact, rows(team_contact), by=by).done == [open_contact.pk]


def test_the_timeline_tells_of_merge_and_unmerge(couple, actor):
    survivor, duplicate = couple
    by = actor("manager")
    merge(survivor, rows(duplicate), by=by)

    def lines(contact):
        contact = Contact.objects.get(pk=contact.pk)
        return timeline.of_contact(contact, actor("manager"))[0]

    def said(item):
        return strip_tags(item.sentence).removeprefix(f"{item.who} ")

    merged = lines(survivor)[0]
    assert (merged.who, said(merged), merged.note) == (
        "Manager",
        "merged “A. Ruiz” into this contact",
        "2 activities moved",
    )
    assert (merged.undo, merged.undo_label) == (by.change, "Unmerge")
    undo(by.change, by=actor("manager"))
    assert said(lines(survivor)[0]) == "unmerged a duplicate"
    assert said(lines(duplicate)[0]) == "unmerged this contact from another"
