"""Companies, their domains, and the free email domains of a workspace."""

from collections.abc import Collection
from functools import partial

from django.apps import apps
from django.db import models
from django.db.models import F, Q

from crm.kit.ids import new_id
from crm.kit.text import LONGEST, digits, domain_key, search_key
from crm.kit.translation import gettext_lazy as _
from crm.records.models import LIVE, Record, derive
from crm.users.models import Owned


class Company(Record):
    """An organization that people work at."""

    MADE_OF = frozenset({"name", "phone", "domain", "other_domains", "deleted_at"})

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "org"))
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, editable=False)
    domain = models.CharField(max_length=200, blank=True)  # the primary one
    other_domains = models.TextField(blank=True, max_length=LONGEST, default="", db_default="")  # separated by ", "
    website = models.CharField(max_length=300, blank=True)
    industry = models.CharField(max_length=100, blank=True)
    employees = models.PositiveIntegerField(null=True, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    street = models.CharField(max_length=200, blank=True)
    street2 = models.CharField(max_length=200, blank=True, default="", db_default="")
    postal_code = models.CharField(max_length=20, blank=True, default="", db_default="")
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True, default="", db_default="")
    country = models.CharField(max_length=2, blank=True)  # ISO 3166 alpha-2
    description = models.TextField(blank=True, max_length=LONGEST)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="subsidiaries", db_index=False
    )
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="merged", db_index=False
    )

    class Meta(Record.Meta):
        abstract = False
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        constraints = [
            # Longer circles: contacts.hierarchy, under a lock.
            models.CheckConstraint(condition=~Q(parent=F("pk")), name="company_not_its_own_parent"),
            models.UniqueConstraint(
                "workspace", "external_id", condition=LIVE & ~Q(external_id=""), name="company_external_id"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "name_key", "id"], name="company_name", condition=LIVE),
            models.Index(fields=["workspace", "owner", "name_key"], name="company_owner", condition=LIVE),
            models.Index(fields=["workspace", "team", "name_key"], name="company_team", condition=LIVE),
            models.Index(fields=["parent"], name="company_parent", condition=Q(parent__isnull=False)),
            models.Index(fields=["merged_into"], name="company_merged", condition=Q(merged_into__isnull=False)),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/company/{self.public_id}"

    @property
    def replaced_by(self):
        return self.merged_into if self.deleted_at else None

    @property
    def domains(self) -> list[str]:
        """All domains, the primary one first."""
        keys = map(domain_key, (self.domain, *self.other_domains.split(", ")))
        return list(dict.fromkeys(filter(None, keys)))

    def derive(self) -> tuple[str, ...]:
        """Set derived fields; return their names."""
        self.name_key = search_key(self.name)[:200]
        found_by = (self.name_key, search_key(self.domain), self.other_domains, digits(self.phone))
        self.search_text = " ".join(filter(None, found_by))
        return ("name_key", "search_text")

    @classmethod
    def derived(cls, records, changed):
        """Update the rows of their domains, and contacts' search text, which contains their company's name."""
        if {"domain", "other_domains", "deleted_at"} & set(changed):
            CompanyDomain.keep(records)
        people = apps.get_model("contacts", "Contact").objects.filter(company__in=[company.pk for company in records])
        if "name" in changed and people.exists():
            derive(people, {"company"})


class CompanyDomain(Owned):
    """A domain of a company, derived from the company's two fields: unique among live companies, and found by email.

    `live` follows the company's trash. `shared` rows repeat a domain of another company, from before they were unique.

    Why: docs/decisions/0078-domains-are-derived-rows.md
    """

    company = models.ForeignKey(Company, models.CASCADE, related_name="domain_rows")
    domain = models.CharField(max_length=200)
    live = models.BooleanField(default=True)
    shared = models.BooleanField(default=False)

    class Meta(Owned.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "domain"], condition=Q(live=True, shared=False), name="company_domain_once"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "domain"], name="company_domain", condition=Q(live=True))]

    def __str__(self):
        return self.domain

    @classmethod
    def keep(cls, companies: Collection[Company]) -> None:
        """Bring the rows in line with the companies. Raises IntegrityError for another company's domain."""
        wanted = {(company.pk, domain): company for company in companies for domain in company.domains}
        rows = cls.objects.filter(company__pk__any_of=[company.pk for company in companies])
        present = {(company, domain): pk for company, domain, pk in rows.values_list("company", "domain", "pk")}
        cls.objects.filter(pk__in=[pk for key, pk in present.items() if key not in wanted]).delete()
        for live in (False, True):  # first free the domains of those that leave
            kept = [present[key] for key in wanted if key in present and (wanted[key].deleted_at is None) is live]
            cls.objects.filter(pk__in=kept).update(live=live)
        missing = [(company, domain) for (pk, domain), company in wanted.items() if (pk, domain) not in present]
        cls.objects.bulk_create(
            cls(workspace_id=company.workspace_id, company=company, domain=domain, live=company.deleted_at is None)
            for company, domain in missing
        )


class FreeMailDomains(Owned):
    """Further email domains of a workspace that belong to no company, besides the shipped ones."""

    domains = models.TextField(blank=True, max_length=LONGEST)  # separated by line breaks

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("free email domains")
        constraints = [models.UniqueConstraint("workspace", name="free_mail_domains_once")]

    def __str__(self):
        return self.domains
