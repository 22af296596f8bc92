"""The migration in the admin, read-only: figures, and each lead with a link to its result."""

import pytest

from contacts.models import Contact
from crm.legacy_leads.models import MigrationRun

pytestmark = pytest.mark.once


def test_each_old_lead_links_to_what_it_became(old, migrate, sign_in):
    old("Ana Ruiz", estimated_value="5")
    migrate(commit=True)
    run, ana, client = MigrationRun.objects.get(), Contact.objects.get(), sign_in("admin")
    assert f"?run__id__exact={run.pk}" in client.get(f"/admin/legacy_leads/migrationrun/{run.pk}/change/").text
    leads = client.get(f"/admin/legacy_leads/legacylead/?run__id__exact={run.pk}").text
    assert f'href="/contact/{ana.public_id}"' in leads and "No contact was linked to the lead." in leads


def test_nobody_changes_a_run(old, migrate, sign_in):
    old("Ana Ruiz")
    migrate(commit=True)
    run = MigrationRun.objects.get()
    assert (
        sign_in("admin").post(f"/admin/legacy_leads/migrationrun/{run.pk}/change/", {"state": "undone"}).status_code
        == 403
    )
    assert sign_in("manager").get(f"/admin/legacy_leads/migrationrun/{run.pk}/change/").status_code in (302, 403)
