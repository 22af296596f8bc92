"""import_legacy_leads: the legacy table from a file, ours or another product's."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from crm.legacy_leads.models import LegacyLead, MigrationRun
from tests.factories import make_contact

HEADER = (
    "external_id,name,email,phone,company_name,source,description,status,estimated_value,currency,owner,contact,"
    "created_at,archived_at"
)
JANUARY = datetime(2025, 1, 2, 10, tzinfo=UTC)


@pytest.fixture
def bring(tmp_path, acme):
    """`bring("row\\nrow", header)` imports these rows: (exit status, counts, errors)."""

    def imported(rows, header=HEADER, **options):
        path, out, status = tmp_path / "leads.csv", io.StringIO(), 0
        path.write_text(f"{header}\n{rows}\n")
        try:
            call_command("import_legacy_leads", str(path), workspace="acme", json=True, stdout=out, **options)
        except SystemExit as end:
            status = end.code
        report = json.loads(out.getvalue().splitlines()[-1])
        counts = tuple(report[key] for key in ("rows", "created", "updated", "unchanged", "refused"))
        return status, counts, [error["message"] for error in report["errors"]]

    return imported


def test_a_row_is_kept_as_it_is(bring, cast):
    ana = make_contact("Ana", external_id="a-1")
    row = "L-1,Ana Ruiz,ana@x.example,1,Fleetly,Fair,Vans,working,1500.50,USD,rep@acme.example,a-1,"
    assert bring(row + "2025-01-02T10:00:00Z,2025-06-01") == (0, (1, 1, 0, 0, 0), [])
    lead = LegacyLead.objects.get()
    assert (lead.external_id, lead.name, lead.email, lead.company_name) == (
        "L-1",
        "Ana Ruiz",
        "ana@x.example",
        "Fleetly",
    )
    assert (lead.status, lead.estimated_value, lead.currency) == ("working", Decimal("1500.50"), "USD")
    assert (lead.owner, lead.contact, lead.created_at) == (cast.rep, ana, JANUARY)
    assert lead.archived_at
    entry = Entry.objects.get(event="legacy_lead.created")
    assert (entry.at, entry.new_values["estimated_value"]) == (JANUARY, "1500.50")


def test_several_leads_of_one_person_all_come_in_and_the_same_file_again_changes_nothing(bring):
    rows = "L-1,Ana,ana@x.example,,,,,new,,,,,2025-01-02,\nL-2,Ana,ana@x.example,,,,,new,,,,,2025-01-03,"
    assert bring(rows)[1] == (2, 2, 0, 0, 0)
    assert bring(rows)[1] == (2, 0, 0, 2, 0)


def test_without_an_id_rows_go_by_name_e_mail_and_day(bring):
    header = "name,email,created_at,source"
    rows = "Ana,ana@x.example,2025-01-02,Web\nAna,ana@x.example,2025-01-03,Web\nAna,ana@x.example,2025-01-03,Fair"
    assert bring(rows, header)[1:] == ((3, 2, 0, 0, 1), ["Duplicate of row 3."])
    assert bring("Ana,ana@x.example,2025-01-02,Fair", header)[1] == (1, 0, 1, 0, 0)
    assert bring("Bo,,,Web", header)[1] == bring("Cy,,,Web", header)[1] == (1, 1, 0, 0, 0)
    assert bring("Bo,,,Web", header)[1] == (1, 0, 0, 1, 0)


SALESFORCE = "Id,FirstName,LastName,Company,Email,Phone,LeadSource,Status,Description,CreatedDate,Owner Email"
ESPOCRM = (
    "id,firstName,lastName,accountName,emailAddress,phoneNumber,source,status,opportunityAmount,"
    "opportunityAmountCurrency,description,assignedUser,createdAt"
)


def test_an_export_of_salesforce_is_understood(bring, cast):
    row = "00Q1,Ana,Ruiz,Fleetly,ana@x.example,1,Web,{},Vans,2025-01-02T10:00:00.000+0000,rep@acme.example"
    words = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
    rows = "\n".join(row.replace("00Q1", f"00Q{n}").format(word) for n, word in enumerate(words))
    assert bring(rows, SALESFORCE)[:2] == (0, (4, 4, 0, 0, 0))
    leads = LegacyLead.objects.order_by("external_id")
    assert [lead.status for lead in leads] == ["new", "working", "converted", "lost"]
    assert {(x.name, x.company_name, x.source, x.owner, x.created_at) for x in leads} == {
        ("Ana Ruiz", "Fleetly", "Web", cast.rep, JANUARY)
    }


def test_an_export_of_espocrm_is_understood(bring, cast):
    row = "62,Ana,Ruiz,Fleetly,ana@x.example,1,Web,In Process,1500.50,USD,Vans,rep@acme.example,2025-01-02 10:00:00"
    assert bring(row, ESPOCRM)[:2] == (0, (1, 1, 0, 0, 0))
    lead = LegacyLead.objects.get()
    assert (lead.status, lead.estimated_value, lead.currency, lead.owner) == (
        "working",
        Decimal("1500.50"),
        "USD",
        cast.rep,
    )


BAD = (
    ("L-1,Ana,,,,,,new,,,,nobody,,", "No contact matches “nobody”. Enter an ID or email."),
    ("L-1,,,,,Web,,new,,,,,,", "Enter a name, an email or a company."),
    (
        "L-1,Ana,,,,,,signed,,,,,,",
        "“signed” isn’t a valid value for Status. Choose from: New, Working, Qualified, Converted, Lost.",
    ),
    ("L-1,Ana,,,,,,new,-5,,,,,", "Estimated value must be 0 or more and less than 10,000,000,000,000."),
    ("L-1,Ana,,,,,,new,,,,,2150-01-01T00:00:00Z,", "“2150-01-01T00:00:00Z” is in the future."),
)


@pytest.mark.parametrize(("row", "sentence"), BAD)
def test_a_bad_row_is_refused_with_a_sentence(row, sentence, bring):
    assert bring(row) == (1, (1, 0, 0, 0, 1), [sentence])


def test_what_was_migrated_and_what_is_being_migrated_does_not_change(bring, migrate):
    row = "L-1,Ana,,,,Web,,new,,,,,2025-01-02,"
    bring(row)
    migrate(commit=True)
    assert bring(row)[:2] == (0, (1, 0, 0, 1, 0))
    assert bring(row.replace("Web", "Fair"))[2] == ["This lead was migrated to a contact and can’t be changed."]
    MigrationRun.objects.update(state="running")
    with pytest.raises(CommandError, match="read-only until"):
        bring("L-2,Bo,,,,,,new,,,,,,")
