"""Import and export of companies: matching, parents, and the files of other products."""

import csv
import io
import json

import pytest

from audit.undo.undo import undo
from contacts.models import Company, CompanyDomain
from contacts.verbs.create_company import create_company
from contacts.verbs.set_free_mail_domains import set_free_mail_domains
from crm.records.verbs.edit import edit
from tests.contacts.files import counts, import_csv, refusals
from tests.contacts.test_import_commands import run
from tests.factories import make_company, make_field, rows

HUBSPOT = """\
"Record ID","Company name","Company owner","Create Date","Phone Number","Last Activity Date","City","Country/Region",\
"Industry","Company Domain Name","Number of Employees","Street Address","Street Address 2","Postal Code",\
"State/Region","Website URL","Parent Company"
"6612001","Fleetly GmbH","Rep","2024-03-01 09:15","+49 30 1234","2025-11-03 10:00","Berlin","Germany","LOGISTICS",\
"fleetly.example","250","Torstr. 1","Hof 2","10119","BE","https://www.fleetly.example","Fleetly Group"
"6612002","Fleetly Group","","2024-02-01 09:15","","","Zürich","Switzerland","",\
"fleetlygroup.example","","","","","","",""
"""
SALESFORCE = """\
"Account ID","Account Name","Parent Account","Account Owner","Type","Industry","Employees","Phone","Website",\
"Billing Street","Billing City","Billing State/Province","Billing Zip/Postal Code","Billing Country","Description",\
"Created Date","Last Modified Date"
"0015g00000AbCdE","Metro Cabs","Metro Holding","Rep","Customer","Transportation","120","(555) 010-2000",\
"www.metrocabs.example","1 Market St
Suite 300","San Francisco","CA","94105","United States","Airport fleet","3/1/2024","11/2/2025"
"0015g00000AbCdF","Metro Holding","","Manager","","","","","","","","","","","","2/1/2024","11/2/2025"
"""
PIPEDRIVE = """\
"Organization - ID","Organization - Name","Organization - Owner","Organization - Label","Organization - Address",\
"Organization - Street/road name of Address","Organization - City/town/village/locality of Address",\
"Organization - State/county of Address","Organization - Country of Address",\
"Organization - ZIP/Postal code of Address","Organization - Website","Organization - Industry",\
"Organization - Employee count","Organization - Organization created","Organization - Open deals"
"41","Taxis Rojo","Rep","Hot","Calle Mayor 1, Madrid","Calle Mayor","Madrid","Comunidad de Madrid","Spain","28013",\
"https://taxisrojo.example","Taxi","35","2024-05-06 07:08:09","2"
"""
ZOHO = """\
"Record Id","Account Name","Account Owner","Account Owner.id","Parent Account","Website","Phone","Industry",\
"Employees","Billing Street","Billing City","Billing State","Billing Code","Billing Country","Description",\
"Created Time"
"zcrm_554023000000321","Nordic Vans","Rep","zcrm_554023000000999","Nordic Group","http://nordicvans.example","+47 1",\
"Vans","40","Storgata 1","Oslo","","0155","Norway","Ring first","2024-06-07 08:09:10"
"zcrm_554023000000322","Nordic Group","Rep","","","","","","","","","","","","","2024-06-07 08:09:10"
"""
FILES = {
    "HubSpot": (
        HUBSPOT,
        "Fleetly GmbH",
        {
            "external_id": "6612001",
            "domain": "fleetly.example",
            "industry": "LOGISTICS",
            "employees": 250,
            "phone": "+49 30 1234",
            "street": "Torstr. 1",
            "street2": "Hof 2",
            "postal_code": "10119",
            "city": "Berlin",
            "region": "BE",
            "country": "DE",
            "parent": "Fleetly Group",
        },
    ),
    "Salesforce": (
        SALESFORCE,
        "Metro Cabs",
        {
            "external_id": "0015g00000AbCdE",
            "domain": "metrocabs.example",
            "website": "https://www.metrocabs.example",
            "employees": 120,
            "street": "1 Market St Suite 300",
            "postal_code": "94105",
            "city": "San Francisco",
            "region": "CA",
            "country": "US",
            "description": "Airport fleet",
            "parent": "Metro Holding",
        },
    ),
    "Pipedrive": (
        PIPEDRIVE,
        "Taxis Rojo",
        {
            "external_id": "41",
            "domain": "taxisrojo.example",
            "industry": "Taxi",
            "employees": 35,
            "street": "Calle Mayor",
            "postal_code": "28013",
            "city": "Madrid",
            "region": "Comunidad de Madrid",
            "country": "ES",
        },
    ),
    "Zoho": (
        ZOHO,
        "Nordic Vans",
        {
            "external_id": "zcrm_554023000000321",
            "domain": "nordicvans.example",
            "employees": 40,
            "street": "Storgata 1",
            "postal_code": "0155",
            "city": "Oslo",
            "country": "NO",
            "description": "Ring first",
            "parent": "Nordic Group",
        },
    ),
}


@pytest.mark.parametrize("product", FILES)
def test_the_files_of_other_products_are_understood(product, acme, cast):
    text, name, expected = FILES[product]
    done = import_csv(text, entity="company")
    assert refusals(done) == {}
    company = Company.objects.select_related("parent").get(name=name)
    assert {key: str(value) if key == "parent" else value for key, value in _values(company, expected)} == expected
    assert company.owner == cast.rep
    if product != "Salesforce":
        assert company.created_at.year == 2024
    again = import_csv(text, entity="company")
    assert counts(again) == (0, 0, done.rows, 0)


def _values(company, keys):
    return [(key, getattr(company, key)) for key in keys]


def test_rows_match_by_external_id_then_by_domain_then_by_name(acme):
    by_id = make_company("Old name", external_id="1", domain="one.example")
    by_domain = make_company("Two", domain="two.example", other_domains="zwei.example")
    by_name = make_company("Thrée")
    text = "external_id,name,domain,city\n1,One,,Oslo\n2,Zwei,zwei.example,Bonn\n,three,,Rome\n9,Two,,Lima\n"
    done = import_csv(text, entity="company", maps=[])
    assert counts(done) == (0, 3, 0, 1)
    assert refusals(done) == {5: "Duplicate of row 3."}
    for company, city in ((by_id, "Oslo"), (by_domain, "Bonn"), (by_name, "Rome")):
        assert Company.objects.get(pk=company.pk).city == city


def test_namesakes_with_another_id_or_domain_are_other_companies(acme):
    make_company("Acme", external_id="1", domain="acme.example")
    text = "external_id,name,domain\n2,Acme,\n,Acme,acme.de.example\n,Acme,other.example\n"
    assert counts(import_csv(text, entity="company")) == (3, 0, 0, 0)
    done = import_csv("name,city\nAcme,Oslo\n", entity="company")
    assert refusals(done) == {2: "Several companies are named “Acme”. Add a domain or an external ID."}


def test_what_points_to_two_companies_or_repeats_one_is_rejected(acme):
    make_company("A", external_id="1"), make_company("B", domain="b.example")
    text = "external_id,name,domain\n1,A,b.example\n7,C,c.example\n8,D,c.example\n,,x.example\n,E,not a domain\n"
    assert refusals(import_csv(text, entity="company")) == {
        2: "The external ID and domains match different companies: A and B.",
        4: "Duplicate of row 3.",
        5: "Enter a name.",
        6: "“not a domain” isn’t a valid domain, e.g. example.com.",
    }


def test_a_rep_can_neither_change_nor_guess_what_is_hidden(acme, cast, actor):
    make_company("Hidden", domain="hidden.example", team=cast.nordics, owner=cast.outsider)
    make_company("Theirs", domain="theirs.example", owner=cast.outsider)
    text = "name,domain,city\nX,hidden.example,Oslo\nTheirs,theirs.example,Oslo\nHidden,,Oslo\n"
    done = import_csv(text, entity="company", by=actor("rep"))
    assert refusals(done) == {
        2: "The external ID or domain belongs to a company that you can’t see.",
        3: "View only – this company belongs to someone else.",
    }
    assert Company.objects.filter(name="Hidden").count() == 2


@pytest.mark.parametrize(
    "on_match, city, phone", [("update", "Oslo", "1"), ("fill", "Rome", "1"), ("skip", "Rome", "")]
)
def test_existing_companies_are_updated_filled_or_skipped(on_match, city, phone, acme):
    company, above = make_company("A", city="Rome"), make_company("Above")
    import_csv("name,city,phone,parent\nA,Oslo,1,Above\n", entity="company", on_match=on_match)
    company.refresh_from_db()
    assert (company.city, company.phone) == (city, phone)
    assert company.parent_id == (None if on_match == "skip" else above.pk)


def test_a_parent_is_named_by_id_domain_or_name_and_may_come_later(acme):
    make_company("There", domain="there.example")
    text = (
        "external_id,name,domain,parent\n1,A,,9\n2,B,,late.example\n3,C,,Late\n4,D,,there.example\n5,E,,Nobody\n"
        "9,Late,late.example,\n"
    )
    done = import_csv(text, entity="company")
    assert refusals(done) == {6: "No company matches “Nobody”, in the workspace or in the file."}
    parents = Company.objects.exclude(parent=None).values_list("name", "parent__name")
    assert dict(parents) == {"A": "Late", "B": "Late", "C": "Late", "D": "There"}


def test_a_shared_name_of_the_present_parent_keeps_it(acme):
    parent = make_company("Twin")
    make_company("Twin", external_id="2")
    child = make_company("Child", parent=parent)
    assert counts(import_csv("name,parent\nChild,Twin\n", entity="company")) == (0, 0, 1, 0)
    assert refusals(import_csv("name,parent\nOther,Twin\n", entity="company")) == {
        2: "Several companies are named “Twin”. Use an external ID or a domain instead."
    }
    assert Company.objects.get(pk=child.pk).parent_id == parent.pk


def test_websites_give_domains_unless_several_companies_share_one(acme, actor):
    set_free_mail_domains(["isp.example"], by=actor("admin"))
    make_company("There", domain="there.example")
    text = (
        "name,website\nA,www.a.example/en\nB,a.example\nC,https://facebook.com/c\nD,d.isp.example\nE,isp.example\n"
        "F,there.example\n"
    )
    done = import_csv(text, entity="company")
    assert "No domain column – new companies get the domain of their website." in done.notes
    assert dict(Company.objects.exclude(domain="").values_list("name", "domain")) == {
        "There": "there.example",
        "A": "a.example",
        "D": "d.isp.example",
    }


def test_an_import_is_undone_with_its_parents(acme, actor):
    there = make_company("There")
    done = import_csv("name,domain,parent\nThere,there.example,Above\nAbove,above.example,\n", entity="company")
    undo(done.change, by=actor("manager"))
    there.refresh_from_db()
    assert (list(Company.objects.all()), there.domain, there.parent_id) == ([there], "", None)
    assert not CompanyDomain.objects.exists()


def test_contacts_in_a_file_take_the_company_with_the_domain(acme):
    company = make_company("Fleetly GmbH", domain="fleetly.example")
    done = import_csv("email,company,company.domain\na@x.example,Fleetly,fleetly.example\n")
    assert counts(done) == (1, 0, 0, 0)
    assert Company.objects.get().pk == company.pk
    assert refusals(import_csv("name,company.parent\nA,B\n")) == {}
    assert Company.objects.count() == 1


# Commands and pages


@pytest.fixture
def file(tmp_path, acme):
    def write(content):
        path = tmp_path / "companies.csv"
        path.write_text(content)
        return str(path)

    return write


def test_the_command_reports_like_that_of_contacts(file):
    status, printed = run("import_companies", file("name,domain\nA,a.example\n,b.example\n"), json=True)
    errors = [{"row": 3, "column": "", "message": "Enter a name."}]
    report = {"rows": 2, "created": 1, "updated": 0, "unchanged": 0, "refused": 1, "errors": errors}
    assert (status, json.loads(printed.splitlines()[-1])) == (1, report)
    status, printed = run("import_companies", file("name\nB\n"), dry_run=True)
    assert status == 0 and "no changes made" in printed
    assert not Company.objects.filter(name="B").exists()


def _exported(tmp_path, name, **options):
    path = tmp_path / name
    assert run("export_companies", output=str(path), **options)[0] == 0
    return path


def test_an_export_imports_and_exports_the_same(acme, tmp_path, cast, actor):
    make_field("tier", "select", entity="company", choices=[{"value": "gold", "label": "Gold"}])
    above = make_company("Group, “The” =Best", domain="group.example", website="https://group.example", tier="gold")
    facts = {"street": "=A1", "street2": "Left", "postal_code": "00123", "city": "Oslo", "region": "R", "country": "NO"}
    facts |= {"other_domains": "vans.example, wagen.example", "employees": "40", "description": "one\ntwo"}
    create_company([{"name": "Vans", "parent": above, "external_id": "7", **facts}], by=actor("rep"))
    first = _exported(tmp_path, "a.csv")
    assert "0 created, 0 updated, 2 unchanged, 0 rejected" in run("import_companies", str(first))[1]
    Company.objects.update(parent=None)
    Company.objects.all().delete()
    assert run("import_companies", str(first))[0] == 0
    assert _rows(first) == _rows(_exported(tmp_path, "b.csv"))
    chosen = _exported(tmp_path, "c.csv", columns="name,parent.name", where="parent is not empty")
    assert list(csv.reader(chosen.open(newline=""))) == [["name", "parent.name"], ["Vans", above.name]]


def _rows(path):
    """Return the rows without times of changes, which an import does not set."""
    found = list(csv.DictReader(path.open(newline="")))
    return [{key: value for key, value in row.items() if key != "Updated"} for row in found]


def test_the_browser_imports_and_exports_companies(acme, sign_in):
    make_company("A", city="Rome")
    client, upload = sign_in("manager"), io.BytesIO(b"name,city\nA,Oslo\nB,Bonn\n")
    upload.name = "companies.csv"
    page = client.post("/company/import", {"file": upload}).url
    mapping = {"column_0": "name", "column_1": "city", "on_match": "update"}
    client.post(page, mapping)
    client.post(page, mapping | {"do": "import"})
    assert dict(Company.objects.values_list("name", "city")) == {"A": "Oslo", "B": "Bonn"}
    content = b"".join(client.get("/company/export?view=all&columns=name,city").streaming_content).decode("utf-8-sig")
    assert content.splitlines() == ["Name,City", "A,Oslo", "B,Bonn"]


def test_a_bulk_edit_does_not_offer_domains(acme, cast, sign_in):
    company = make_company("A")
    page = sign_in("manager").post("/company/bulk", {"action": "edit", "selected": company.public_id})
    offered = dict(page.context["form"].fields["field"].choices)
    assert "parent" in offered and not {"domain", "other_domains"} & offered.keys()
    edit(rows(company), {"domain": "https://www.A.example/x"}, by=cast.manager.actor("web"))
    assert Company.objects.get().domain == "a.example"
