"""Merge of companies, and unmerge by undo."""

import pytest
from django.utils.html import strip_tags

from audit.undo.undo import undo
from contacts import timeline
from contacts.models import Activity, Company, CompanyDomain, Contact
from contacts.verbs.merge_companies import merge_companies
from crm.kit.errors import Invalid, Refused
from crm.opportunities.models import Opportunity
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from tests.contacts.files import counts, import_csv
from tests.factories import make_activity, make_company, make_contact, make_field, make_opportunity, rows
from tests.log import written

DERIVED = {"version", "updated_at"}
TABLES = (Company, Contact, Activity, Opportunity)


def everything():
    """Return all rows that a merge touches, without columns that every write changes, and the domains."""
    found = [row for model in TABLES for row in model.objects.order_by("pk").values()]
    domains = set(CompanyDomain.objects.values_list("company", "domain", "live"))
    return [{key: value for key, value in row.items() if key not in DERIVED} for row in found], domains


@pytest.fixture
def couple(acme, cast):
    """Return a survivor with blanks, and a duplicate with one of everything."""
    make_field("fleet_size", "number", entity="company")
    make_field("partner", "link", target="company")
    holding = make_company("Holding")
    survivor = make_company("Metro Cabs", domain="metro.example", city="Madrid", owner=cast.rep)
    duplicate = make_company(
        "Metro Cabs SL",
        domain="metrocabs.example",
        other_domains="metro.es.example",
        city="Barcelona",
        postal_code="08001",
        external_id="SF-1",
        parent=holding,
        fleet_size="120",
    )
    person = make_contact("Ana Ruiz", company=duplicate)
    make_contact("Left Us", company=duplicate)
    delete(Contact.objects.filter(name="Left Us"), by=cast.manager.actor("web"), reason="x")
    make_contact("Elsewhere", partner=duplicate.public_id)
    make_activity("Note", kind="note", company=duplicate)
    make_opportunity("Vans", contact=person, company=duplicate)
    make_company("Metro Airport", parent=duplicate)
    return survivor, duplicate


def test_all_that_is_linked_moves_and_blanks_are_filled(couple, actor):
    survivor, duplicate = couple
    assert merge_companies(survivor, rows(duplicate), by=actor("manager")).done == [survivor.pk]
    merged, gone = Company.objects.get(pk=survivor.pk), Company.objects.get(pk=duplicate.pk)
    assert (merged.name, merged.city) == ("Metro Cabs", "Madrid")
    assert (merged.postal_code, merged.external_id) == ("08001", "SF-1")
    assert merged.domains == ["metro.example", "metrocabs.example", "metro.es.example"]
    assert (merged.custom, merged.parent.name) == ({"fleet_size": 120}, "Holding")
    assert (gone.merged_into_id, gone.deleted_at is None, gone.external_id) == (survivor.pk, False, "SF-1")
    for model, name in ((Contact, "Ana Ruiz"), (Contact, "Left Us"), (Opportunity, "Vans")):
        assert model.objects.get(name=name).company_id == survivor.pk
    assert Contact.objects.get(name="Ana Ruiz").search_text.endswith(" metro cabs")
    assert Contact.objects.get(name="Elsewhere").custom == {"partner": survivor.pk}
    assert Activity.objects.get(subject="Note").company_id == survivor.pk
    assert Company.objects.get(name="Metro Airport").parent_id == survivor.pk
    assert set(CompanyDomain.objects.filter(live=True).values_list("company", flat=True)) == {survivor.pk}


def test_an_unmerge_puts_everything_back(couple, actor):
    survivor, duplicate = couple
    before, by = everything(), actor("manager")
    merge_companies(survivor, rows(duplicate), by=by)
    assert everything() != before
    undone = undo(by.change, by=actor("manager"))
    assert (undone.kept, undone.reverted) == ([], len(written(by)))
    assert everything() == before
    assert Contact.objects.get(name="Ana Ruiz").search_text.endswith(" metro cabs sl")
    with pytest.raises(Refused, match="nothing left to undo"):
        undo(by.change, by=actor("manager"))


def test_companies_that_shared_a_domain_before_domains_were_unique_are_merged_and_unmerged(acme, actor):
    first, second = make_company("Taxi", domain="taxi.example"), make_company("Taxi Ltd")
    Company.objects.filter(pk=second.pk).update(domain="taxi.example")
    CompanyDomain.objects.create(workspace=acme, company=second, domain="taxi.example", shared=True)
    before, by = everything(), actor("manager")
    merge_companies(second, rows(first), by=by)
    assert CompanyDomain.objects.get(live=True).company_id == second.pk
    undo(by.change, by=actor("manager"))
    assert everything() == before


def test_a_domain_taken_since_keeps_the_duplicate_in_the_trash(couple, actor):
    survivor, duplicate = couple
    by = actor("manager")
    merge_companies(survivor, rows(duplicate), by=by)
    edit(rows(survivor), {"other_domains": ""}, by=actor("manager"))
    make_company("Another", domain="metrocabs.example")
    why = "Another record now uses this email, domain, external ID or position."
    assert ("company", duplicate.pk, why) in undo(by.change, by=actor("manager")).kept
    assert Company.objects.get(pk=duplicate.pk).deleted_at


@pytest.mark.parametrize("into_the_lower", [True, False])
def test_a_merge_within_one_line_leaves_no_circle(into_the_lower, acme, actor):
    top = make_company("Top")
    middle = make_company("Middle", parent=top)
    low = make_company("Low", parent=middle)
    survivor, other = (low, top) if into_the_lower else (top, low)
    before, by = everything(), actor("manager")
    merge_companies(survivor, rows(other), by=by)
    assert (Company.objects.get(pk=survivor.pk).parent_id, Company.objects.get(pk=middle.pk).parent_id) == (
        None,
        survivor.pk,
    )
    undo(by.change, by=actor("manager"))
    assert everything() == before


def test_a_chosen_value_wins_and_a_chosen_domain_becomes_the_primary_one(couple, actor):
    survivor, duplicate = couple
    chosen = {"city": "Barcelona", "domain": "metrocabs.example"}
    merge_companies(survivor, rows(duplicate), by=actor("manager"), choose=chosen)
    merged = Company.objects.get(pk=survivor.pk)
    assert (merged.city, merged.domains) == (
        "Barcelona",
        ["metrocabs.example", "metro.example", "metro.es.example"],
    )


def test_an_import_finds_the_survivor_by_the_duplicates_external_id(couple, actor):
    survivor, duplicate = couple
    edit(rows(survivor), {"external_id": "SF-0"}, by=actor("manager"))
    merge_companies(survivor, rows(duplicate), by=actor("manager"))
    run = import_csv("external_id,phone\nSF-0,1\n", entity="company")
    again = import_csv("Account ID,Phone\nSF-1,600\n", entity="company", on_match="fill")
    assert (counts(run), counts(again)) == ((0, 1, 0, 0), (0, 0, 1, 0))


def test_a_merged_company_leads_to_the_survivor_and_is_not_restored(couple, actor, sign_in):
    survivor, duplicate = couple
    merge_companies(survivor, rows(duplicate), by=actor("manager"))
    assert sign_in("manager").get(duplicate.get_absolute_url()).url == survivor.get_absolute_url()
    refused = restore(rows(duplicate), by=actor("manager")).refused
    assert refused == {duplicate.pk: "This company was merged into another one. Unmerge it instead."}


def test_a_rep_merges_what_is_theirs_only(couple, cast, actor):
    survivor, duplicate = couple
    edit(rows(duplicate), {"owner": cast.mate.pk}, by=actor("manager"))
    with pytest.raises(Refused, match="belongs to someone else"):
        merge_companies(survivor, rows(duplicate), by=actor("rep"))
    with pytest.raises(Invalid, match="Choose a different company"):
        merge_companies(survivor, rows(survivor), by=actor("rep"))


def test_the_timeline_tells_of_merge_and_unmerge(couple, actor):
    def said(company):
        items, _tasks, _more = timeline.of_company(company, actor("manager"))
        return [strip_tags(item.sentence) for item in items]

    survivor, duplicate = couple
    by = actor("manager")
    merge_companies(survivor, rows(duplicate), by=by)
    told = said(survivor)
    assert told[0] == "Manager merged “Metro Cabs SL” into this company"
    assert "Manager added a note" in told and told.count("Manager created this company") == 2
    undo(by.change, by=actor("manager"))
    assert said(survivor)[0] == "Manager unmerged a duplicate"
    assert said(duplicate)[0] == "Manager unmerged this company from another"


def test_the_page_finds_and_compares_the_duplicate(couple, sign_in):
    survivor, duplicate = couple
    client, url = sign_in("manager"), f"{survivor.get_absolute_url()}/merge"
    assert [each.pk for each in client.get(url).context["candidates"]] == [duplicate.pk]
    compared = client.get(url, {"other": duplicate.public_id})
    assert [row["field"].key for row in compared.context["rows"]] == ["name", "domain", "city"]
    client.post(url, {"other": duplicate.public_id, "keep-city": "other"})
    assert Company.objects.live().get(name="Metro Cabs").city == "Barcelona"
