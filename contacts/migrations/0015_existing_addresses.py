"""Fill in the addresses of existing contacts, and the keys of emails with non-ASCII letters.

In batches by primary key; a key that another contact or suppression already has stays as it was. No workspace has a
country yet, so that phone numbers without a country code get their digits as key.
"""

import json

from django.db import migrations
from django.db.models import Q

from contacts.address_rows import insert_from
from crm.kit.phones import phone_key
from crm.kit.text import email_key

BATCH = 10_000
ANY = ~Q(email="") | ~Q(phone="") | ~Q(mobile="")
UPDATE = {
    "postgresql": (
        "UPDATE contacts_contact SET address_rows = new.rows::jsonb "
        "FROM unnest(%s::bigint[], %s::text[]) AS new(id, rows) WHERE contacts_contact.id = new.id"
    ),
    "sqlite": "UPDATE contacts_contact SET address_rows = %s WHERE id = %s",
}


def rekey(apps, schema_editor):
    for model in (apps.get_model("contacts", "Contact"), apps.get_model("contacts", "Suppression")):
        for row in model.objects.filter(email_key__regex=r"[^\x01-\x7f]").iterator():
            key = email_key(row.email_key)
            alike = model.objects.filter(workspace_id=row.workspace_id, email_key=key)
            if len(key) <= 254 and not alike.exists():
                model.objects.filter(pk=row.pk).update(email_key=key)


def fill(apps, schema_editor):
    contacts, last = apps.get_model("contacts", "Contact").objects.filter(ANY).order_by("pk"), 0
    found = contacts.values_list("pk", "email_key", "email", "phone", "mobile")
    with schema_editor.connection.cursor() as cursor:
        while batch := list(found.filter(pk__gt=last)[:BATCH]):
            last = batch[-1][0]
            _write(cursor, schema_editor.connection.vendor, batch)
        # Where the triggers exist already, e.g. after a reversal, they have inserted them.
        insert = insert_from(schema_editor.connection.vendor, "contacts_contact")
        cursor.execute(f"{insert} ON CONFLICT DO NOTHING")


def _write(cursor, vendor, batch):
    rows = [json.dumps(_rows(*values)) for _pk, *values in batch]
    ids = [pk for pk, *_values in batch]
    if vendor == "postgresql":
        cursor.execute(UPDATE[vendor], [ids, rows])
    else:
        cursor.executemany(UPDATE[vendor], zip(rows, ids, strict=True))


def _rows(key, email, phone, mobile):
    emails = [["email", 0, key, email, ""]] if email else []
    numbers = [(value, label) for value, label in ((phone, ""), (mobile, "mobile")) if value]
    return emails + [["phone", n, phone_key(value, ""), value, label] for n, (value, label) in enumerate(numbers)]


def empty(apps, schema_editor):
    apps.get_model("contacts", "ContactAddress").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("contacts", "0014_contact_addresses")]

    operations = [
        migrations.RunPython(rekey, migrations.RunPython.noop),
        migrations.RunPython(fill, empty),
    ]
