import io
import json

import pytest
from django.core.management import CommandError, call_command

from crm.kit.read_tracking import uncounted_reads
from crm.legacy_leads.models import LegacyLead
from crm.legacy_leads.verbs.create_legacy_leads import create_legacy_leads
from tests.contacts.test_import_killed import instance  # noqa: F401 (a fixture)
from tests.factories import manager


@pytest.fixture
def old(acme):
    """`old("Ana", estimated_value="100", …)` creates a legacy lead; `at` (aware) dates it."""

    def made(name="Ana", *, at=None, archived_at=None, **values):
        lead = LegacyLead.objects.get(pk=create_legacy_leads([{"name": name} | values], by=manager()).done[0])
        if at or archived_at:
            moments = {"created_at": at or lead.created_at, "archived_at": archived_at}
            LegacyLead.objects.filter(pk=lead.pk).update(**moments)
            lead.refresh_from_db()
        return lead

    return made


@pytest.fixture
def nobody_reads(acme):
    """Exclude the test's own reads of the retired table."""
    with uncounted_reads():
        yield


@pytest.fixture
def migrate(acme):
    """`migrate(commit=True, …)` runs the command in acme: (exit status, report of --json or message)."""

    def run(**options):
        out = io.StringIO()
        try:
            call_command("migrate_leads", workspace="acme", json=True, stdout=out, **options)
        except SystemExit as end:
            return end.code, json.loads(out.getvalue().splitlines()[-1])
        except CommandError as error:
            return error.returncode, str(error)
        return 0, json.loads(out.getvalue().splitlines()[-1])

    return run
