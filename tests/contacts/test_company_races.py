"""Concurrent changes of companies. PostgreSQL reveals races that SQLite's single writer hides."""

from functools import partial

import pytest

from audit.undo.undo import undo
from contacts.models import Company, CompanyDomain, Contact
from contacts.verbs.create_company import create_company
from contacts.verbs.merge_companies import merge_companies
from crm.kit.actor import Channel
from crm.kit.errors import AlreadyTaken, Invalid, Refused
from crm.kit.scope import in_workspace
from crm.records.verbs.edit import edit
from tests.contacts.files import import_csv
from tests.factories import make_company, make_contact, rows
from tests.threads import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def by(cast):
    return cast.manager.actor(Channel.WEB)


def test_two_who_merge_each_into_the_other_leave_one(cast):
    with in_workspace(cast.acme):
        first, second = make_company("Metro"), make_company("Metro Ltd")
        make_contact(company=first), make_contact(company=second)
        calls = [partial(merge_companies, a, rows(b), by=by(cast)) for a, b in ((first, second), (second, first))]
        outcomes, errors = at_once(cast.acme, calls)
        assert (len(outcomes), {type(error) for error in errors}) == (1, {Refused})
        survivor = Company.objects.live().get()
        assert set(Contact.objects.values_list("company", flat=True)) == {survivor.pk}


def test_merges_of_one_duplicate_into_two_survivors_keep_it_in_one(cast):
    with in_workspace(cast.acme):
        first, second, duplicate = make_company("A"), make_company("B"), make_company("C", domain="c.example")
        calls = [partial(merge_companies, each, rows(duplicate), by=by(cast)) for each in (first, second)]
        outcomes, errors = at_once(cast.acme, calls)
        assert (len(outcomes), {type(error) for error in errors}) == (1, {Refused})
        [survivor] = outcomes[0].done
        assert Company.objects.get(pk=duplicate.pk).merged_into_id == survivor
        assert CompanyDomain.objects.get(live=True).company_id == survivor


def test_eight_who_each_hang_a_company_below_the_next_close_no_circle(cast):
    with in_workspace(cast.acme):
        ring = [make_company(f"Ring {number}") for number in range(8)]
        pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
        calls = [partial(edit, rows(each), {"parent": above.public_id}, by=by(cast)) for each, above in pairs]
        outcomes, errors = at_once(cast.acme, calls)
        assert (len(outcomes), {type(error) for error in errors}) == (7, {Invalid})
        assert Company.objects.filter(parent__isnull=True).count() == 1


def test_edit_import_merge_and_undo_of_parents_at_once_close_no_circle(cast):
    with in_workspace(cast.acme):
        top, low, twin = make_company("Top"), make_company("Low"), make_company("Twin")
        taken = by(cast)
        edit(rows(low), {"parent": top.public_id}, by=taken)
        before = by(cast)
        edit(rows(low), {"parent": None}, by=before)
        calls = [
            partial(undo, before.change, by=by(cast)),
            partial(edit, rows(top), {"parent": low.public_id}, by=by(cast)),
            partial(import_csv, "name,parent\nTop,Twin\nTwin,Low\n", entity="company"),
            partial(merge_companies, top, rows(twin), by=by(cast)),
        ]
        _, errors = at_once(cast.acme, calls)
        assert {type(error) for error in errors} <= {Invalid, Refused}
        above = dict(Company.objects.values_list("pk", "parent"))
        for pk in above:
            seen = []
            while pk and pk not in seen:
                seen.append(pk)
                pk = above[pk]
            assert pk is None


def test_one_of_eight_new_companies_gets_the_domain(cast):
    with in_workspace(cast.acme):
        values = [{"name": f"Company {number}", "domain": "fleetly.example"} for number in range(8)]
        outcomes, errors = at_once(cast.acme, [partial(create_company, [each], by=by(cast)) for each in values])
        assert (len(outcomes), {type(error) for error in errors}) == (1, {AlreadyTaken})
        assert Company.objects.count() == 1
