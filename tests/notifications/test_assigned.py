"""New owners of records are notified once, however many records."""

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from contacts.verbs.create import create
from crm.lists.imports.running import new_run, run_import
from crm.notifications.assigned import tell_assigned
from crm.notifications.lines import lines
from crm.notifications.models import Notification
from crm.records.verbs.assign import assign
from crm.records.verbs.edit import edit
from crm.users.verbs.deactivate_member import deactivate_member
from tests.factories import make_company, make_contact, rows

pytestmark = pytest.mark.usefixtures("acme")


def test_an_assignment_is_told_to_the_new_owner(cast, actor, told):
    ana = make_contact("Ana Ruiz")
    assign(rows(ana), cast.rep, by=actor("manager"))
    assert told("rep") == [("assigned", ana.pk, 1)]
    (line,) = lines(list(Notification.objects.all()), actor("rep"))
    assert line.text == "Manager assigned Ana Ruiz to you"
    assert line.url == ana.get_absolute_url()


def test_a_company_and_a_record_made_for_somebody_are_told_too(cast, actor, told):
    company = make_company(owner=cast.mate.pk, by=actor("rep"))
    made = create([{"name": "Bo", "owner": cast.mate.pk}], by=actor("rep"))
    assert told("mate") == [("assigned", company.pk, 1), ("assigned", made.done[0], 1)]


def test_an_owner_changed_among_other_fields_is_told(cast, actor, told):
    ana = make_contact()
    edit(rows(ana), {"title": "CEO", "owner": cast.rep.pk}, by=actor("manager"))
    assert told("rep") == [("assigned", ana.pk, 1)]


def test_nobody_is_told_of_what_they_did_themselves(cast, actor, told):
    assign(rows(make_contact()), cast.rep, by=actor("rep"))
    create([{"name": "Bo"}], by=actor("rep"))
    assert told("rep") == []


def test_who_keeps_a_record_that_changes_its_team_is_not_told(cast, actor, told):
    ana = make_contact(owner=cast.rep.pk, by=actor("rep"))
    assign(rows(ana), cast.rep, by=actor("manager"), team=cast.nordics)
    assert told("rep") == []


def test_who_left_is_not_told(cast, actor, told):
    ana = make_contact(owner=cast.mate.pk)
    Notification.objects.all().delete()
    deactivate_member(cast.mate, by=actor("admin"))
    tell_assigned(rows(ana), actor("manager"))
    assert told("mate") == []


def many(count, actor):
    return create([{"name": f"Person {n}", "owner": None} for n in range(count)], by=actor("manager")).done


def test_a_thousand_are_one_notification_in_as_many_statements_as_two(cast, actor, told):
    counted = []
    for size in (2, 1000):
        ids = many(size, actor)
        with CaptureQueriesContext(connection) as captured:
            assign(Contact.objects.filter(pk__in=ids), cast.rep, by=actor("manager"))
        counted.append(len(captured))
    assert counted[0] == counted[1]
    assert [(kind, count) for kind, _, count in told("rep")] == [("assigned", 2), ("assigned", 1000)]


def test_the_link_of_many_leads_to_a_list_of_just_those(cast, actor, sign_in):
    ids = many(3, actor)
    make_contact("Somebody Else", owner=cast.rep)
    assign(Contact.objects.filter(pk__in=ids), cast.rep, by=actor("manager"))
    assign(Contact.objects.filter(pk=ids[0]), cast.mate, by=actor("manager"))
    item = Notification.objects.get(recipient=cast.rep, count=3)
    (line,) = lines([item], actor("rep"))
    assert line.text == "Manager assigned 3 contacts to you"
    page = sign_in("rep").get(line.url).content.decode()
    assert "1–2 of 2" in page
    assert "Person 1" in page
    assert "Somebody Else" not in page
    assert "Records in one change" in page


def test_a_reaction_that_runs_again_changes_nothing(cast, actor, told):
    by = actor("manager")
    people = Contact.objects.filter(pk__in=many(3, actor))
    assign(people, cast.rep, by=by)
    before = list(Notification.objects.values())
    tell_assigned(people, by)
    assert list(Notification.objects.values()) == before


def imported(text: str, by) -> None:
    file = io.BytesIO(text.encode())
    run = new_run("contact", file, "people.csv", by=by)
    run.save()
    run_import(run, file, by=by)


def test_an_import_tells_each_owner_once_at_its_end(cast, actor, told):
    ana = make_contact("Ana", email="ana@x.example")
    fresh = "".join(f"Person {n},p{n}@x.example,{'rep' if n % 2 else 'manager'}@acme.example\n" for n in range(120))
    imported(f"name,email,owner\nAna,ana@x.example,mate@acme.example\n{fresh}", actor("manager"))
    assert [(kind, count) for kind, _, count in told("rep")] == [("assigned", 60)]
    assert told("mate") == [("assigned", ana.pk, 1)]
    assert told("manager") == []
