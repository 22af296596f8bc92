"""The migration's report in the admin: figures, a file, and each lead with the way to what it became."""

from contacts.models import Contact
from leads.legacy.models import MigrationRun


def test_the_report_leads_from_each_old_lead_to_what_it_became(old, migrate, sign_in):
    old("Ana Ruiz", estimated_value="5")
    old("Bo", status="lost")
    migrate(commit=True)
    run, ana, client = MigrationRun.objects.get(), Contact.objects.get(), sign_in("admin")
    page = client.get(f"/admin/leads/migrationrun/{run.pk}/change/").text
    assert "Download as CSV" in page and f"?run__id__exact={run.pk}" in page
    leads = client.get(f"/admin/leads/legacylead/?run__id__exact={run.pk}").text
    assert f'href="/contact/{ana.public_id}"' in leads and "No contact was linked to it." in leads
    file = b"".join(client.get(f"/admin/leads/migrationrun/{run.pk}/report.csv").streaming_content).decode()
    header, first, second = file.splitlines()
    assert header.split(",")[-3:] == ["contact", "opportunity", "why_no_opportunity"]
    assert ana.public_id in first and "Became a new contact" in first
    assert "Left,Not active: Lost." in second


def test_nobody_changes_a_report(old, migrate, sign_in):
    old("Ana Ruiz")
    migrate(commit=True)
    run = MigrationRun.objects.get()
    assert sign_in("admin").post(f"/admin/leads/migrationrun/{run.pk}/change/", {"state": "undone"}).status_code == 403
    assert sign_in("manager").get(f"/admin/leads/migrationrun/{run.pk}/change/").status_code in (302, 403)


def test_the_plan_is_a_page_that_changes_nothing(old, sign_in):
    old("Ana <Ruiz>", estimated_value="5")
    client = sign_in("admin")
    assert "/admin/leads/migrationrun/plan/" in client.get("/admin/leads/migrationrun/").text
    page = client.get("/admin/leads/migrationrun/plan/").text
    assert "Ana &lt;Ruiz&gt;" in page and "Became a new contact" in page and "EUR 5.00" in page
    assert not Contact.objects.exists() and not MigrationRun.objects.exists()


def test_a_plan_of_very_many_is_the_command_s(old, sign_in, monkeypatch):
    monkeypatch.setattr("leads.legacy.admin.PLANNED_HERE", 1)
    old("Ana")
    old("Bo")
    page = sign_in("admin").get("/admin/leads/migrationrun/plan/").text
    assert "manage.py migrate_leads --report plan.csv" in page and "Ana" not in page
