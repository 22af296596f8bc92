import pytest

from audit.models import Entry
from contacts.models import Company, Contact
from crm.kit.errors import Conflict, Invalid
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.users.models import Membership
from tests.factories import make_company, make_contact, make_field, rows
from tests.log import assert_entry, assert_nothing_written, entries, moves, written


def test_what_changed_is_written_and_nothing_else(open_contact, actor):
    by = actor("rep")
    outcome = edit(rows(open_contact), {"title": "CFO", "name": "Tomás Ortega"}, by=by)
    assert outcome.done == [open_contact.pk]
    assert_entry(by, open_contact, "contact.updated", "UPDATE", old={"title": ""}, new={"title": "CFO"})
    assert len(entries(by)) == 1
    changed = Contact.objects.get(pk=open_contact.pk)
    assert (changed.title, changed.version) == ("CFO", open_contact.version + 1)


def test_an_edit_that_changes_nothing_writes_nothing(open_contact, actor):
    by = actor("rep")
    edit(rows(open_contact), {"name": "Tomás Ortega", "email": open_contact.email, "status": "active"}, by=by)
    assert_nothing_written(by)
    assert Contact.objects.get(pk=open_contact.pk).version == open_contact.version


def test_of_many_each_gets_an_entry_of_what_changed_in_it(acme, actor):
    make_field("fleet_size", "number")
    ana, bo, cai = make_contact(title="CFO"), make_contact(title="CFO", fleet_size="5"), make_contact()
    by = actor("manager")
    edit(rows(ana, bo, cai), {"title": "CFO", "fleet_size": "5"}, by=by)
    both = (
        "contact.updated",
        cai.pk,
        {"title": "", "custom.fleet_size": None},
        {"title": "CFO", "custom.fleet_size": 5},
    )
    assert written(by) == [("contact.updated", ana.pk, {"custom.fleet_size": None}, {"custom.fleet_size": 5}), both]


@pytest.mark.parametrize("key", ["contains", "isnull", "fleet__gt", "in", "exact"])
def test_a_custom_field_may_be_called_like_a_lookup(key, acme, actor):
    make_field(key, "text", f"Label of {key}")
    contact = make_contact(**{key: "a"})
    by = actor("manager")
    edit(rows(contact), {key: "b"}, by=by)
    assert written(by) == [("contact.updated", contact.pk, {f"custom.{key}": "a"}, {f"custom.{key}": "b"})]
    again = actor("manager")
    edit(rows(contact), {key: "b"}, by=again)
    assert_nothing_written(again)
    edit(rows(contact), {key: ""}, by=actor("manager"))
    assert Contact.objects.get(pk=contact.pk).custom == {}


def test_owner_and_status_have_events_of_their_own(open_contact, cast, actor):
    by = actor("rep")
    edit(rows(open_contact), {"title": "CFO", "owner": cast.mate.pk, "status": "bounced"}, by=by)
    events = [event for event, *_ in written(by)]
    assert events == ["contact.status_changed", "suppression.added", "contact.updated", "contact.assigned"]
    assert moves(by) == [(open_contact.pk, "status", "active", "bounced", "set_status", "")]
    again = actor("manager")
    edit(rows(open_contact, make_contact()), {"status": "bounced"}, by=again)
    assert [entry.event for entry in entries(again)] == ["contact.status_changed", "suppression.added"]
    assert len(moves(again)) == 1


def test_keys_and_search_text_follow(acme, actor):
    contact = make_contact("Ana", company=make_company("Metro Cabs"))
    edit(rows(contact), {"name": "Zoë Q", "email": "ZOE@x.example", "phone": "+34 600"}, by=actor("manager"))
    contact.refresh_from_db()
    assert (contact.name_key, contact.email_key) == ("zoe q", "zoe@x.example")
    assert contact.search_text == "zoe q zoe@x.example 34600 metro cabs"


def test_people_are_found_by_the_new_name_of_their_company(acme, actor):
    company = make_company("Metro Cabs")
    contact = make_contact("Ana", company=company)
    by = actor("manager")
    edit(rows(company), {"name": "Nordic Haul"}, by=by)
    contact.refresh_from_db()
    assert contact.search_text.endswith("nordic haul")
    assert written(by) == [("company.updated", company.pk, {"name": "Metro Cabs"}, {"name": "Nordic Haul"})]


class TestName:
    def test_it_follows_first_and_last_name_while_it_is_made_of_them(self, acme, actor):
        made = make_contact("Ana Ruiz", first_name="Ana", last_name="Ruiz")
        own = make_contact("Dr. Ruiz", first_name="Bea", last_name="Ruiz")
        by = actor("manager")
        edit(rows(made, own), {"last_name": "Silva"}, by=by)
        assert written(by) == [
            (
                "contact.updated",
                made.pk,
                {"last_name": "Ruiz", "name": "Ana Ruiz"},
                {"last_name": "Silva", "name": "Ana Silva"},
            ),
            ("contact.updated", own.pk, {"last_name": "Ruiz"}, {"last_name": "Silva"}),
        ]
        assert list(Contact.objects.order_by("pk").values_list("name", "name_key")) == [
            ("Ana Silva", "ana silva"),
            ("Dr. Ruiz", "dr. ruiz"),
        ]

    def test_it_stays_when_both_are_emptied(self, acme, actor):
        contact = make_contact("Ana Ruiz", first_name="Ana", last_name="Ruiz")
        edit(rows(contact), {"first_name": "", "last_name": ""}, by=actor("manager"))
        assert Contact.objects.get().name == "Ana Ruiz"

    def test_emptied_it_is_made_anew(self, acme, actor):
        contact = make_contact("Boss", first_name="Ana", email="ana@x.example")
        edit(rows(contact), {"name": ""}, by=actor("manager"))
        assert Contact.objects.get().name == "Ana"
        edit(rows(contact), {"name": "", "first_name": ""}, by=actor("manager"))
        assert Contact.objects.get().name == "ana@x.example"

    def test_it_cannot_be_emptied_without_anything_to_make_it_of(self, acme, actor):
        contact, by = make_contact("Boss", email=""), actor("manager")
        with pytest.raises(Invalid) as error:
            edit(rows(contact), {"name": ""}, by=by)
        assert error.value.errors == {"name": "Enter a name or an email."}
        assert_nothing_written(by)

    def test_a_company_needs_one(self, acme, actor):
        with pytest.raises(Invalid, match="Enter a name"):
            edit(rows(make_company()), {"name": " "}, by=actor("manager"))


class TestRefused:
    @pytest.mark.parametrize("field", ["email", "external_id"])
    def test_what_another_contact_has(self, field, acme, actor):
        value = {"email": "ana@x.example", "external_id": "77"}[field]
        first = make_contact(**{field: value})
        other, by = make_contact(), actor("manager")
        with pytest.raises(Invalid) as error:
            edit(rows(other), {field: value.upper(), "title": "CFO"}, by=by)
        label = {"email": "email", "external_id": "external ID"}[field]
        assert error.value.errors == {field: f"A record with this {label} already exists: {first.name}."}
        assert_nothing_written(by)

    @pytest.mark.parametrize(
        "values, errors",
        [
            ({"status": ""}, {"status": "Status is required."}),
            ({"title": "T" * 121}, {"title": "Title can have up to 120 characters."}),
            (
                {"lifecycle_stage": "lost"},
                {"lifecycle_stage": "Lifecycle Stage is set automatically and can’t be edited."},
            ),
            ({"no": "1", "email": "x"}, {"no": "There’s no field “no”.", "email": "“x” isn’t a valid email address."}),
        ],
    )
    def test_bad_values(self, values, errors, open_contact, actor):
        by = actor("rep")
        with pytest.raises(Invalid) as error:
            edit(rows(open_contact), values, by=by)
        assert error.value.errors == errors
        assert_nothing_written(by)

    @pytest.mark.parametrize("value", ["2.5", "-1", "2147483648"])
    def test_a_company_has_whole_employees(self, value, acme, actor):
        with pytest.raises(Invalid, match="Employees must be a whole number, 0 or more"):
            edit(rows(make_company()), {"employees": value}, by=actor("manager"))

    def test_circles_of_managers(self, acme, actor):
        boss = make_contact("Boss")
        middle = make_contact("Middle", manager=boss)
        worker = make_contact("Worker", manager=middle)
        for above in (boss, middle, worker):
            with pytest.raises(Invalid, match="can’t report to themselves"):
                edit(rows(boss), {"manager": above.pk}, by=actor("manager"))
        edit(rows(worker), {"manager": boss.pk}, by=actor("manager"))

    def test_an_owner_who_left(self, open_contact, cast, actor):
        Membership.objects.filter(pk=cast.mate.pk).update(is_active=False)
        with pytest.raises(Invalid, match="Owner: this user is no longer active"):
            edit(rows(open_contact), {"owner": cast.mate.pk}, by=actor("rep"))


class TestBase:
    """R14: the values an editor saw decide what they change."""

    def test_only_what_differs_from_it_is_changed(self, open_contact, actor):
        edit(rows(open_contact), {"title": "CEO"}, by=actor("manager"))
        by = actor("rep")
        edit(rows(open_contact), {"title": "", "department": "Board"}, by=by, base={"title": "", "department": ""})
        assert written(by) == [("contact.updated", open_contact.pk, {"department": ""}, {"department": "Board"})]
        assert Contact.objects.get(pk=open_contact.pk).title == "CEO"

    def test_a_field_changed_by_both_is_a_conflict_with_both_values(self, open_contact, actor):
        edit(rows(open_contact), {"title": "CEO"}, by=actor("manager"))
        by = actor("rep")
        with pytest.raises(Conflict) as error:
            edit(rows(open_contact), {"title": "CFO", "phone": "1"}, by=by, base={"title": "", "phone": ""})
        assert error.value.fields == {"title": ("CFO", "CEO")}
        assert_nothing_written(by)

    def test_the_same_change_twice_is_none(self, open_contact, actor):
        edit(rows(open_contact), {"title": "CEO"}, by=actor("manager"))
        by = actor("rep")
        edit(rows(open_contact), {"title": "CEO"}, by=by, base={"title": ""})
        assert_nothing_written(by)

    def test_what_was_left_alone_is_not_checked_again(self, acme, cast, actor):
        """With the company in the trash and a former owner, the title can still be set."""
        company = make_company()
        contact = make_contact(owner=cast.mate, company=company)
        delete(rows(company), by=actor("manager"), reason="closed")
        Membership.objects.filter(pk=cast.mate.pk).update(is_active=False)
        seen = {"owner": cast.mate.pk, "company": company.pk, "title": ""}
        edit(rows(contact), seen | {"title": "CFO"}, by=actor("manager"), base=seen)
        assert Contact.objects.get().title == "CFO"

    @pytest.mark.parametrize(
        "type, value, other",
        [
            ("text", "a", "b"),
            ("number", 2.5, 3),
            ("date", "2026-03-31", "2026-01-01"),
            ("yes_no", True, False),
            ("select", "a", "b"),
            ("multi_select", ["a", "b"], ["a"]),
        ],
    )
    def test_custom_fields_of_every_type(self, type, value, other, acme, actor):
        choices = [{"value": name, "label": name} for name in "ab"] if "select" in type else []
        make_field("extra", type, choices=choices)
        empty = [] if type == "multi_select" else None
        contact = make_contact()
        edit(rows(contact), {"extra": value}, by=actor("manager"), base={"extra": empty})
        assert Contact.objects.get().custom == {"extra": value}
        with pytest.raises(Conflict) as error:
            edit(rows(contact), {"extra": other}, by=actor("manager"), base={"extra": empty})
        assert error.value.fields == {"custom.extra": (other, value)}
        edit(rows(contact), {"extra": empty}, by=actor("manager"), base={"extra": value})
        assert Contact.objects.get().custom == {}

    def test_line_breaks_of_a_browser_are_no_change(self, open_contact, actor):
        edit(rows(open_contact), {"notes": "one\ntwo"}, by=actor("manager"))
        by = actor("rep")
        edit(rows(open_contact), {"notes": "one\r\ntwo\r\nthree"}, by=by, base={"notes": "one\r\ntwo"})
        assert written(by) == [
            ("contact.updated", open_contact.pk, {"notes": "one\ntwo"}, {"notes": "one\ntwo\nthree"})
        ]


def test_companies_are_edited_by_the_same_verb(acme, actor):
    company, by = make_company("Metro"), actor("manager")
    edit(rows(company), {"website": "metro.example", "country": "es", "employees": "12"}, by=by)
    old = {"website": "", "country": "", "employees": None}
    new = {"website": "https://metro.example", "country": "ES", "employees": 12}
    [entry] = Entry.objects.filter(change=by.change)
    assert (entry.event, entry.person, entry.old_values, entry.new_values) == ("company.updated", None, old, new)
    assert Company.objects.get().country == "ES"
