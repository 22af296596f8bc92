"""Domains of companies: unique, and linking new contacts by their email."""

import pytest

from contacts.models import Company, CompanyDomain, Contact
from contacts.verbs.capture import capture
from contacts.verbs.set_free_mail_domains import set_free_mail_domains
from crm.kit.errors import AlreadyTaken, Invalid, NotAllowed
from crm.kit.text import domain_key
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from tests.contacts.files import import_csv
from tests.factories import make_company, make_contact, rows


@pytest.mark.once
@pytest.mark.parametrize(
    "text, domain",
    [
        ("Fleetly.Example", "fleetly.example"),
        ("https://www.fleetly.example:8080/a?b=c#d", "fleetly.example"),
        ("info@fleetly.example", "fleetly.example"),
        ("müller.example", "xn--mller-kva.example"),
        ("fleetly", ""),
        ("two words.example", ""),
        ("a..example", ""),
        (f"{'a' * 64}.example", ""),
        ("10.0.0.1", ""),
        ("", ""),
    ],
)
def test_a_domain_is_found_in_what_people_write(text, domain):
    assert domain_key(text) == domain


def test_a_domain_belongs_to_one_live_company(acme, actor):
    first, other = make_company("First", domain="one.example", other_domains="uno.example"), make_company("Other")
    for key, value in (("domain", "UNO.example"), ("other_domains", "two.example, one.example")):
        with pytest.raises(AlreadyTaken, match="A company with this domain already exists: First"):
            edit(rows(other), {key: value}, by=actor("manager"))
    delete(rows(first), by=actor("manager"), reason="x")
    edit(rows(other), {"domain": "one.example"}, by=actor("manager"))
    assert restore(rows(first), by=actor("manager")).refused == {first.pk: "Another company now uses this domain."}
    edit(rows(other), {"domain": ""}, by=actor("manager"))
    assert restore(rows(first), by=actor("manager")).done == [first.pk]
    assert {row.domain: row.company_id for row in CompanyDomain.objects.filter(live=True)} == {
        "one.example": first.pk,
        "uno.example": first.pk,
    }


def test_a_hidden_companys_name_is_not_told(acme, cast, actor):
    make_company("Secret", domain="one.example", team=cast.nordics)
    with pytest.raises(AlreadyTaken) as error:
        make_company("Mine", domain="one.example", by=actor("rep"))
    assert error.value.errors == {"domain": "A company with this domain already exists."}


def test_the_form_offers_the_company_once_and_takes_no_for_an_answer(acme, sign_in):
    company, rep = make_company("Fleetly", domain="fleetly.example"), sign_in("rep")
    offered = rep.post("/contact/new", {"name": "Ana", "email": "ana@fleetly.example"})
    assert offered.status_code == 200 and not Contact.objects.exists()
    page, value = offered.content.decode(), f"Fleetly ({company.public_id})"
    assert "Fleetly was filled in because fleetly.example is its domain." in page and f'value="{value}"' in page
    rep.post("/contact/new", {"name": "Ana", "email": "ana@fleetly.example", "company": value, "suggested": "1"})
    rep.post("/contact/new", {"name": "Bo", "email": "bo@fleetly.example", "company": "", "suggested": "1"})
    assert dict(Contact.objects.values_list("name", "company")) == {"Ana": company.pk, "Bo": None}


def test_the_form_offers_no_hidden_company_and_none_for_a_free_address(acme, cast, sign_in, actor):
    make_company("Secret", domain="secret.example", team=cast.nordics)
    make_company("Google", domain="gmail.com"), make_company("Provider", domain="isp.example")
    set_free_mail_domains(["ISP.example"], by=actor("admin"))
    for number, domain in enumerate(("secret.example", "gmail.com", "isp.example", "unknown.example")):
        sign_in("rep").post("/contact/new", {"name": f"P{number}", "email": f"p@{domain}"})
    assert list(Contact.objects.values_list("company", flat=True)) == [None] * 4


def test_captures_and_imports_link_new_contacts(acme, actor):
    company, known = make_company("Fleetly", domain="fleetly.example"), make_contact(email="old@fleetly.example")
    people = [{"email": f"{name}@fleetly.example"} for name in ("new", "old")]
    capture([*people, {"email": "x@gmx.de"}], by=actor("rep"), source="web")
    other = make_company("Other")
    import_csv("email,company\nb@fleetly.example,\nc@fleetly.example,Other\nold@fleetly.example,\n")
    assert dict(Contact.objects.values_list("email", "company")) == {
        known.email: None,
        "new@fleetly.example": company.pk,
        "x@gmx.de": None,
        "b@fleetly.example": company.pk,
        "c@fleetly.example": other.pk,
    }


def test_admins_extend_the_free_domains(acme, actor, sign_in):
    with pytest.raises(NotAllowed):
        set_free_mail_domains([], by=actor("manager"))
    with pytest.raises(Invalid, match="“nonsense” isn’t a valid domain"):
        set_free_mail_domains(["nonsense"], by=actor("admin"))
    admin = sign_in("admin")
    assert admin.post("/settings/free-mail/", {"domains": "nonsense"}).status_code == 422
    admin.post("/settings/free-mail/", {"domains": "b.example\nwww.a.example"})
    assert admin.get("/settings/free-mail/").context["form"]["domains"].value() == "a.example\nb.example"
    assert not Company.objects.exists()
