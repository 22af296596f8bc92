"""fold() in SQL: case-folded text, identical in Python, SQLite and PostgreSQL."""

from django.db.models import Func, TextField

from crm.kit.text import fold


class Fold(Func):
    """fold() in SQL.

    LOWER() alone handles only ASCII on SQLite, and depends on the database's locale on PostgreSQL. So SQLite calls the
    Python function (registered on every connection by EntitiesConfig), and PostgreSQL uses ICU's root locale, which
    maps every character as Python does. Not casefold: PostgreSQL has it from version 18 only.
    """

    function = "FOLD_TEXT"
    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler, connection, **context):
        template = "REPLACE(LOWER((%(expressions)s) COLLATE \"und-x-icu\"), U&'\\03C2', U&'\\03C3')"
        return self.as_sql(compiler, connection, template=template, **context)


def register_fold(connection, **kwargs) -> None:
    """Register FOLD_TEXT on a new SQLite connection; a receiver of connection_created."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("FOLD_TEXT", 1, _fold_value, deterministic=True)


def _fold_value(value):
    return value if value is None else fold(str(value))
