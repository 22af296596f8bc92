"""What leads bring to the Django admin."""

from leads.legacy import admin as legacy_admin  # noqa: F401 (registers itself)
