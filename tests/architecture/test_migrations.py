"""Migrations can run while the version before them still serves: no column that it does not know is demanded of it."""

import pytest
from django.apps import apps
from django_migration_linter import MigrationLinter

# The engine on which the old and the new version meet; a first migration meets nobody.
pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
OURS = {
    config.label
    for config in apps.get_app_configs()
    if config.name.split(".")[0] in ("crm", "leads", "contacts", "audit")
}


def test_the_version_before_can_work_on_after_each_migration(capsys):
    linter = MigrationLinter(ignore_name_contains="_initial", include_apps=list(OURS), no_cache=True)
    linter.lint_all_migrations()
    assert linter.nb_valid and not linter.has_errors, capsys.readouterr().out
