"""Assignment of leads: rules, then the contact's owner, then round-robin in the pool (DESIGN 1.2, RELIABILITY R16)."""

import io
from collections import Counter
from itertools import groupby
from threading import Event

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from contacts.models import Contact
from contacts.verbs.capture import capture
from contacts.verbs.create import create
from crm.kit.actor import Channel, system
from crm.kit.errors import Invalid, NotAllowed
from crm.lists.imports.running import new_run, run_import
from crm.records.verbs.assign import assign
from crm.users.verbs.deactivate_member import deactivate_member
from leads.assignment.models import AssignmentRule, Duty
from leads.models import Lead
from leads.verbs.save_assignment_rule import save_assignment_rule
from leads.verbs.set_duties import set_duties
from tests.budget import examples
from tests.factories import make_company, make_contact
from tests.threads import at_once


def owners(**where) -> list[str]:
    found = Lead.objects.filter(**where).order_by("pk").values_list("owner__user__name", flat=True)
    return [name and name.lower() for name in found]


def several(count: int, by, **values) -> list[int]:
    return create([{"name": f"Person {n}", "owner": None} | values for n in range(count)], by=by).done


def test_the_pool_takes_turns_and_a_contact_without_an_owner_gets_the_lead_s(acme, duty, machine):
    duty(rep=(True, False), mate=(True, False), outsider=(True, False))
    several(3, machine.act())
    capture([{"email": "ana@x.example"}], by=machine.act(), source="Form")
    assert owners() == ["rep", "mate", "outsider", "rep"]
    assert list(Contact.objects.order_by("pk").values_list("owner", flat=True)) == list(
        Lead.objects.order_by("pk").values_list("owner", flat=True)
    )
    entry = Entry.objects.get(event="contact.assigned", entity_id=Contact.objects.get(email="ana@x.example").pk)
    assert entry.new_values == {"owner": Contact.objects.get(email="ana@x.example").owner_id}
    told = Entry.objects.filter(event="lead.created").latest("id").new_values
    assert told["owner"] == entry.new_values["owner"]


def test_a_contact_s_own_owner_works_their_lead_unless_they_are_away(acme, cast, actor, duty, machine):
    duty(mate=(True, False))
    make_contact(owner=cast.rep)
    duty(rep=(False, True))
    make_contact(owner=cast.rep)
    assert owners() == ["rep", "mate"]
    assert set(Contact.objects.values_list("owner", flat=True)) == {cast.rep.pk}


def test_the_first_rule_that_fits_decides_before_the_contact_s_owner(acme, cast, rule, machine):
    rule("source = Web", "mate", position=1)
    rule("source = Web and contact.company.industry = taxi", "outsider", position=0)
    taxi = make_company(industry="taxi")
    create(
        [
            {"name": "A", "source": "Web", "owner": cast.rep},
            {"name": "B", "source": "Web", "company": taxi},
            {"name": "C", "source": "Fair", "owner": cast.rep},
        ],
        by=machine.act(),
    )
    assert owners() == ["mate", "outsider", "rep"]


def test_a_rule_whose_people_are_all_gone_leaves_it_to_the_next(acme, cast, actor, rule, machine):
    rule("source = Web", "mate")
    rule("source = Web", "rep", position=2)
    deactivate_member(cast.mate, by=actor("admin"))
    make_contact(source="Web")
    assert owners() == ["rep"]


def test_a_team_s_rule_gives_to_whoever_is_in_the_team(acme, cast, rule, machine):
    rule("source is not empty", team=cast.iberia)
    several(4, machine.act(), source="Web")
    assert owners() == ["rep", "mate", "rep", "mate"]


def test_least_loaded_evens_out_what_is_open(acme, cast, rule, machine):
    several(3, machine.act(), owner=cast.rep)
    rule("source = Web", "rep", "mate", method="least_loaded")
    several(5, machine.act(), source="Web")
    assert Counter(owners()) == {"rep": 4, "mate": 4}


def test_who_may_not_see_the_contact_is_passed_over_and_loses_no_turn(acme, cast, duty, machine):
    duty(rep=(True, False), outsider=(True, False), manager=(True, False))
    for _ in range(2):
        several(1, machine.act(), team=cast.iberia)
        several(1, machine.act())
    assert owners(team=cast.iberia) == ["rep", "manager"]
    assert owners(team=None) == ["rep", "outsider"]


def test_where_nobody_is_the_lead_stays_unowned(acme, duty, machine):
    several(1, machine.act())
    assert owners() == [None]


def test_reps_are_in_the_pool_until_an_admin_says_otherwise(acme, cast, duty, machine):
    Duty.objects.all().delete()
    several(4, machine.act())
    assert owners() == ["rep", "mate", "outsider", "rep"]


def test_an_import_assigns_a_batch_in_as_many_statements_as_one_lead(acme, cast, rule, duty, machine):
    duty(rep=(True, False), mate=(True, False))
    rule("source = Web", "outsider", "mate")
    for source in ("Web", "Fair"):  # the first lead of each creates the row of the turn
        several(1, machine.imports(), source=source)
    counted = []
    for size in (6, 300):  # enough for all to get some
        with CaptureQueriesContext(connection) as captured:
            create(
                [{"name": f"{size} {n}", "source": "Web" if n % 2 else "Fair", "owner": None} for n in range(size)],
                by=machine.imports(),
            )
        counted.append(len([q for q in captured if "leads_" in q["sql"]]))
    assert counted[0] == counted[1]
    found = Counter(owners())
    assert sum(found.values()) == 308 and found["mate"] == 154


def test_a_file_of_people_is_shared_out_evenly(acme, duty, machine):
    duty(rep=(True, False), mate=(True, False), outsider=(True, False))
    file = io.BytesIO(("name\n" + "".join(f"Person {n}\n" for n in range(301))).encode())
    by = machine.imports()
    run = new_run("contact", file, "people.csv", by=by)
    run.save()
    run_import(run, file, by=by)
    counts = Counter(owners()).values()
    assert sum(counts) == 301 and max(counts) - min(counts) <= 1


def test_a_lead_with_an_owner_is_not_assigned_again(acme, cast, actor, duty):
    ana = make_contact(owner=cast.rep)
    duty(mate=(True, False))
    capture([{"email": ana.email, "phone": "1"}], by=actor("rep"), source="Form")
    assert owners() == ["rep"]


def test_leads_are_reassigned_together_by_the_verb_of_every_record(acme, cast, actor):
    people = [make_contact(owner=cast.rep), make_contact(owner=cast.rep)]
    leads = Lead.objects.filter(contact__in=people)
    assert len(assign(leads, cast.mate, by=actor("rep")).done) == 2
    assert owners() == ["mate", "mate"]
    assert Entry.objects.filter(event="lead.assigned").count() == 2


@pytest.mark.parametrize(
    "values, field",
    [
        ({"condition": "owner = me"}, "condition"),
        ({"condition": "any leads (team = my team)"}, "condition"),
        ({"condition": "nothing = 1"}, "condition"),
        ({"condition": " "}, "condition"),
        ({"name": " "}, "name"),
        ({"people": []}, "people"),
        ({"people": ["viewer"]}, "people"),
        ({"people": ["globex_rep"]}, "people"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(values, field, acme, cast, rule):
    people = values.pop("people", ["rep"])
    with pytest.raises(Invalid) as refused:
        rule(values.pop("condition", "source = Web"), *people, **values)
    assert field in refused.value.errors


def test_only_admins_change_rules_and_the_pool(acme, cast, actor, rule):
    made = rule("source = Web", "rep")
    for write in (
        lambda by: save_assignment_rule(made, by=by),
        lambda by: set_duties({cast.rep.pk: (True, False)}, by=by),
    ):
        with pytest.raises(NotAllowed):
            write(actor("manager"))
    made.is_active = False
    save_assignment_rule(made, by=actor("admin"))
    assert Entry.objects.get(event="assignment_rule.updated").old_values == {"is_active": True}
    make_contact(source="Web")
    assert owners() == [None]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_rule", [False, True])
def test_sixteen_who_capture_at_once_share_out_fairly_while_one_leaves(by_rule, acme, cast, actor):
    four = {who.pk: who for who in (cast.rep, cast.mate, cast.outsider, cast.manager)}
    if by_rule:
        rule = AssignmentRule(name="Web", condition="source = Form", people=list(four))
        save_assignment_rule(rule, by=actor("admin"))
    else:
        set_duties({pk: (True, False) for pk in four}, by=actor("admin"))
    each, half_way = examples(6), Event()
    total = 16 * each

    def work(thread: int):
        for number in range(each):
            capture([{"email": f"p{thread}-{number}@x.example"}], by=system(acme.pk, Channel.API), source="Form")
            if number == each // 2:
                half_way.set()

    def leave():
        half_way.wait(60)
        deactivate_member(cast.mate, by=actor("admin"))

    jobs = [lambda thread=thread: work(thread) for thread in range(16)]
    _, errors = at_once(acme, [*jobs, leave])
    assert not errors
    # Turns are locked until commit, so entries are in order of turns.
    given = [e.new_values["owner"] for e in Entry.objects.filter(event="lead.created").order_by("pk")]
    assert len(given) == total
    last = max(place for place, pk in enumerate(given) if pk == cast.mate.pk) + 1
    assert 0 < last < total
    for phase, people in ((given[:last], set(four)), (given[last:], set(four) - {cast.mate.pk})):
        counts = [phase.count(pk) for pk in people]
        assert set(phase) <= people and max(counts) - min(counts) <= 1
    assert Entry.objects.filter(event="contact.assigned").count() == total
    assert all(len(list(same)) == 1 for _, same in groupby(given))
