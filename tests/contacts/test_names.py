"""Names that look equal match in lists, searches, conditions and forms; hidden records have no name."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from contacts.models import Company, Contact
from contacts.verbs.capture import capture
from contacts.verbs.create import create
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.errors import Invalid
from crm.lists.paging import search
from crm.opportunities.models import Opportunity
from crm.records.verbs.edit import edit
from tests.contacts.files import import_csv
from tests.factories import make_company, make_contact, make_opportunity, rows

OBRIEN, LUKASZ = "Se\u00e1n O\u2019Brien", "\u0141ukasz Nowak"


def named(condition, entity="contact", model=Contact):
    expression = parse(condition, entity).expression(Viewer(), clock.now())
    return sorted(map(str, model.objects.filter(expression)))


def test_conditions_and_searches_find_names_however_they_are_written(acme, actor):
    for name in (OBRIEN, LUKASZ):
        make_contact(name, company=make_company(f"{name} & Co"))
    for condition in ('name = "sean o\'brien"', 'name contains "O\'BRIEN"', 'name starts with "Sea"'):
        assert named(condition) == [OBRIEN]
    assert named("name in (lukasz nowak, nobody)") == [LUKASZ]
    assert named('company = "lukasz nowak & co"') == [LUKASZ]
    assert named('name != "lukasz nowak"') == [OBRIEN]
    assert named("company.name contains lukasz") == [LUKASZ]
    assert named("name contains lukasz", "lead", import_module("leads.models").Lead) == [LUKASZ]
    by = actor("manager")
    for text, found in (("o'brien", OBRIEN), ("O\u2019Brien", OBRIEN), ("lukasz", LUKASZ)):
        assert [str(contact) for contact in search(Contact.objects.live(), text, by)] == [found]
    make_opportunity("Stra\u00dfe 1")
    assert named('name = "strasse 1"', "opportunity", Opportunity) == ["Stra\u00dfe 1"]


def test_a_link_is_written_as_the_name_looks(acme, actor):
    company = make_company("Queen's University")
    made = create([{"name": "Ana", "company": "QUEEN\u2019S  university"}], by=actor("rep")).done
    assert Contact.objects.get(pk=made[0]).company == company


def test_keys_of_rows_that_are_there_are_made_anew(acme):
    one, two = make_company("Queen's University"), make_company("Queen\u2019s University")
    contact = make_contact(LUKASZ, company=two)
    Company.objects.filter(pk=two.pk).update(name_key="queen\u2019s university", search_text="queen\u2019s university")
    Contact.objects.update(name_key="\u0142ukasz nowak", search_text="\u0142ukasz nowak queen\u2019s university 12")
    operation = import_module("contacts.migrations.0009_fold_keys").Migration.operations[0]
    operation.code(apps, SimpleNamespace(connection=connection))
    assert set(Company.objects.values_list("name_key", flat=True)) == {one.name_key}
    contact.refresh_from_db()
    assert (contact.name_key, contact.search_text) == ("lukasz nowak", "lukasz nowak queen's university 12")


CHANNELS = {
    "create": lambda by: create([{"name": "Two\r\nLines", "title": "a\tb"}], by=by),
    "capture": lambda by: capture([{"name": "Two\nLines", "title": "a\x0bb"}], by=by, source="Web"),
    "edit": lambda by: edit(rows(make_contact()), {"name": "Two\nLines", "title": "a\u2028b"}, by=by),
    "import": lambda by: import_csv('name,title\n"Two\nLines","a\tb"\n'),
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_single_line_fields_hold_no_line_breaks(channel, acme, actor):
    CHANNELS[channel](actor("manager"))
    assert Contact.objects.values_list("name", "title").get() == ("Two Lines", "a b")


def test_a_name_stored_with_a_line_break_before_is_no_conflict(acme, actor):
    contact = make_contact("Two Lines")
    Contact.objects.filter(pk=contact.pk).update(name="Two\nLines")
    base = {"name": "Two Lines", "title": ""}
    edit(rows(contact), {"name": "Two Lines More", "title": "CFO"}, by=actor("manager"), base=base).or_raise()
    assert Contact.objects.values_list("name", "title").get() == ("Two Lines More", "CFO")


@pytest.fixture
def hidden(cast):
    return make_company("Fleetly", team=cast.nordics, owner=cast.outsider)


def refusal(company, by):
    with pytest.raises(Invalid) as error:
        create([{"name": "Ana", "company": company}], by=by)
    return str(error.value).replace(company, "X")


def test_a_hidden_company_is_like_one_that_is_not_there(acme, actor, hidden):
    by = actor("rep")
    assert refusal("Fleetly", by) == refusal("Nobody Ltd", by)
    assert refusal(hidden.public_id, by) == refusal("org_AAAAAAAAA", by)


def test_a_hidden_namesake_does_not_stand_in_the_way(acme, actor, hidden):
    seen = make_company("Fleetly")
    made = create([{"name": "Ana", "company": "fleetly"}], by=actor("rep")).done
    contact = Contact.objects.get(pk=made[0])
    assert contact.company == seen
    edit(rows(contact), {"company": ""}, by=actor("rep"))
    edit(rows(contact), {"company": "Fleetly"}, by=actor("rep"), base={"company": ""}).or_raise()
    assert Contact.objects.get().company == seen


def test_a_hidden_company_that_a_contact_has_may_stay_or_go(acme, actor, cast, hidden):
    contact = make_contact(owner=cast.rep, company=hidden)
    seen, shown = make_company("Other"), f"Fleetly ({hidden.public_id})"
    edit(rows(contact), {"company": shown, "title": "CFO"}, by=actor("rep"), base={"company": shown, "title": ""})
    assert Contact.objects.get().company == hidden
    edit(rows(contact), {"company": "Other"}, by=actor("rep"), base={"company": shown}).or_raise()
    assert Contact.objects.get().company == seen
