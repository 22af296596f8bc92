from collections.abc import Callable

from django.db import migrations

# Factor type → values that allauth stores unencrypted by default.
SECRETS = {"totp": ("secret",), "recovery_codes": ("seed", "migrated_codes")}


def _each(apps, change: Callable[[str], str]) -> None:
    rows = apps.get_model("mfa", "Authenticator").objects.filter(type__in=SECRETS)
    for row in rows.order_by("pk").iterator(500):
        for key in SECRETS[row.type]:
            if value := row.data.get(key):
                row.data[key] = list(map(change, value)) if isinstance(value, list) else change(value)
        row.save(update_fields=["data"])


def encrypt(apps, schema_editor):
    from crm.users.second_factors import BEGINS, MFAAdapter

    adapter = MFAAdapter()
    _each(apps, lambda text: text if text.startswith(BEGINS) else adapter.encrypt(text))


def decrypt(apps, schema_editor):
    from crm.users.second_factors import MFAAdapter

    _each(apps, MFAAdapter().decrypt)


class Migration(migrations.Migration):
    """Encrypt 2FA secrets (crm.users.second_factors)."""

    dependencies = [("users", "0004_submissions"), ("mfa", "0003_authenticator_type_uniq")]
    operations = [migrations.RunPython(encrypt, decrypt)]
