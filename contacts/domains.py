"""Companies found by the domain of an email address."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from contacts.free_mail import SHIPPED, own_domains
from contacts.models import Company, CompanyDomain
from crm.kit.actor import Actor
from crm.kit.text import domain_key
from crm.kit.translation import gettext as _
from crm.records.registry import Suggestion


def companies_of_emails(emails: Iterable[str], by: Actor) -> dict[str, Company]:
    """Map each address at a company's domain to that company, if the actor sees it. Three statements at most."""
    domains = {email: domain for email in emails if (domain := domain_key(email.rpartition("@")[2]))}
    found = companies_of_domains({*domains.values()} - SHIPPED, by)
    free = own_domains() if found else ()
    return {email: found[domain] for email, domain in domains.items() if domain in found and domain not in free}


def companies_of_domains(domains: Collection[str], by: Actor) -> dict[str, Company]:
    """Map each domain of a company that the actor sees to that company."""
    owners = owners_of_domains(domains)
    seen = Company.objects.visible_to(by).filter(pk__any_of=list(owners.values())) if owners else ()
    companies = {company.pk: company for company in seen}
    return {domain: companies[pk] for domain, pk in owners.items() if pk in companies}


def owners_of_domains(domains: Collection[str]) -> dict[str, int]:
    """Map each domain of a live company to its key: of several, the one that doesn't share it, or else the oldest."""
    rows = CompanyDomain.objects.filter(domain__any_of=domains, live=True).order_by("-shared", "-company")
    return dict(rows.values_list("domain", "company")) if domains else {}  # the last counts


def suggest_company(values: Mapping[str, Any], by: Actor) -> dict[str, Suggestion]:
    """Suggest the company whose domain a new contact's email has."""
    email = values.get("email") or ""
    company = companies_of_emails([email], by).get(email) if not values.get("company") else None
    if company is None:
        return {}
    sentence = _("{company} was filled in because {domain} is its domain. Clear the field if that’s wrong.")
    why = sentence.format(company=company, domain=domain_key(email))
    return {"company": Suggestion(f"{company} ({company.public_id})", why)}


def with_companies(people: Iterable[dict[str, Any]], by: Actor) -> None:
    """Set the company of each new contact without one, by its email."""
    without = [values for values in people if not values.get("company") and values.get("email")]
    found = companies_of_emails([values["email"] for values in without], by)
    for values in without:
        if company := found.get(values["email"]):
            values["company"] = company.pk
