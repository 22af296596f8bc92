import pytest

from contacts.models import Company, Contact
from crm.kit.errors import Invalid
from crm.records.verbs.assign import assign
from crm.users.models import Membership
from tests.factories import make_company, make_contact, rows
from tests.log import assert_entry, assert_nothing_written, written


@pytest.mark.parametrize("named", [lambda m: m, lambda m: m.pk, lambda m: m.user.email])
def test_the_owner_is_a_member_however_named(named, open_contact, cast, actor):
    by = actor("rep")
    assert assign(rows(open_contact), named(cast.mate), by=by).done == [open_contact.pk]
    assert Contact.objects.get().owner == cast.mate
    old, new = {"owner": cast.rep.pk}, {"owner": cast.mate.pk}
    assert_entry(by, open_contact, "contact.assigned", "ASSIGN", old=old, new=new)


def test_the_team_stays_unless_it_is_given(team_contact, cast, actor):
    by = actor("rep")
    assign(rows(team_contact), None, by=by)
    assert written(by) == [("contact.assigned", team_contact.pk, {"owner": cast.rep.pk}, {"owner": None})]
    by = actor("manager")
    assign(rows(team_contact), cast.outsider, by=by, team=cast.nordics)
    old, new = {"owner": None, "team": cast.iberia.pk}, {"owner": cast.outsider.pk, "team": cast.nordics.pk}
    assert written(by) == [("contact.assigned", team_contact.pk, old, new)]
    assign(rows(team_contact), cast.outsider, by=actor("manager"), team=None)
    assert Contact.objects.get().team is None


def test_of_many_only_those_that_had_another_owner_are_written(acme, cast, actor):
    mine, nobodys = make_contact(owner=cast.rep), make_contact()
    by = actor("manager")
    assert assign(rows(mine, nobodys), cast.rep, by=by).done == [mine.pk, nobodys.pk]
    assert written(by) == [("contact.assigned", nobodys.pk, {"owner": None}, {"owner": cast.rep.pk})]


def test_who_left_or_works_elsewhere_gets_nothing(open_contact, cast, actor):
    Membership.objects.filter(pk=cast.mate.pk).update(is_active=False)
    by = actor("manager")
    for owner in (cast.mate, cast.globex_rep, 0):
        with pytest.raises(Invalid, match="this user is no longer active"):
            assign(rows(open_contact), owner, by=by)
    with pytest.raises(Invalid, match="No user named “nobody"):
        assign(rows(open_contact), "nobody@x.example", by=by)
    with pytest.raises(Invalid, match="team not found"):
        assign(rows(open_contact), cast.rep, by=by, team=0)
    assert_nothing_written(by)


def test_companies_are_assigned_by_the_same_verb(acme, cast, actor):
    company, by = make_company(), actor("manager")
    assign(rows(company), cast.rep, by=by)
    assert Company.objects.get().owner == cast.rep
    assert written(by) == [("company.assigned", company.pk, {"owner": None}, {"owner": cast.rep.pk})]
