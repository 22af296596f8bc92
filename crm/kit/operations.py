"""Custom migration operations."""

from django.db.migrations.operations import RunSQL


class OnPostgreSQL(RunSQL):
    """SQL for PostgreSQL only, without an SQLite counterpart."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
