"""Migration operations of ours."""

from django.db.migrations.operations import RunSQL


class OnPostgreSQL(RunSQL):
    """SQL that only PostgreSQL is given: what SQLite has no counterpart for, and does without."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
