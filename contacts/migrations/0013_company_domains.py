"""Fill the rows of companies' domains. Of several companies with one domain, the oldest is found by it."""

from django.db import migrations

from crm.kit.text import domain_key

BATCH = 1_000


def fill(apps, schema_editor):
    """Write a row for each company's domain, `shared` for all but the first live company with it."""
    using = schema_editor.connection.alias
    rows = apps.get_model("contacts", "CompanyDomain").objects.using(using)
    companies = apps.get_model("contacts", "Company").objects.using(using).exclude(domain="").order_by("pk")
    found = companies.values_list("workspace_id", "pk", "domain", "deleted_at")
    taken: set[tuple[int, str]] = set()
    made = []
    for workspace, company, text, deleted_at in found.iterator(BATCH):
        if domain := domain_key(text):
            place, live = (workspace, domain), deleted_at is None
            about = {"workspace_id": workspace, "company_id": company, "domain": domain, "live": live}
            made.append(rows.model(**about, shared=live and place in taken))
            taken |= {place} if live else set()
    rows.bulk_create(made, batch_size=BATCH)


class Migration(migrations.Migration):

    dependencies = [("contacts", "0012_companies")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
