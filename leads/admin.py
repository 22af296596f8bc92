"""What leads bring to the Django admin."""

from crm.legacy_leads import admin as legacy_admin  # noqa: F401 (registers itself)
