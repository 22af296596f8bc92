"""Database constraints against links between workspaces.

After every migrate, introspection finds each foreign key between two models of a workspace and covers it: on PostgreSQL
by a composite foreign key, replacing Django's own, which would check half of it again per row; on SQLite by triggers
(which a table change drops, so a migration alone is not enough). New keys are covered automatically.

Why: docs/decisions/0051-workspace-scope-and-composite-keys.md
"""

from collections.abc import Iterator

from django.apps import apps
from django.db import connections, models

from crm.kit.logged import Logged
from crm.users.models import Owned


def links() -> Iterator[models.ForeignKey]:
    for model in apps.get_models():
        if issubclass(model, Owned | Logged):
            for field in model._meta.concrete_fields:
                if isinstance(field, models.ForeignKey) and issubclass(field.related_model, Owned | Logged):
                    yield field


def protect_links(using: str = "default", **kwargs) -> None:
    """Cover every uncovered link; a receiver of post_migrate."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for link in links():
            if {link.model._meta.db_table, link.related_model._meta.db_table} <= tables:
                for statement in _STATEMENTS[connection.vendor](cursor, link):
                    cursor.execute(statement)


def _name(link: models.ForeignKey) -> str:
    return f"{link.model._meta.db_table}_{link.column}_workspace"


def _postgresql(cursor, link: models.ForeignKey) -> Iterator[str]:
    table, target, name = link.model._meta.db_table, link.related_model._meta.db_table, _name(link)
    yield f'CREATE UNIQUE INDEX IF NOT EXISTS "{target}_workspace_pk" ON "{target}" (workspace_id, id)'
    cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [name])
    if cursor.fetchone() is None:
        # NOT VALID holds its lock only briefly; VALIDATE reads the table without blocking writers.
        yield (
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (workspace_id, "{link.column}") '
            f'REFERENCES "{target}" (workspace_id, id) DEFERRABLE INITIALLY DEFERRED NOT VALID'
        )
        yield f'ALTER TABLE "{table}" VALIDATE CONSTRAINT "{name}"'
    cursor.execute(KEYS_OF_COLUMN, [table, link.column])
    for (covered,) in cursor.fetchall():
        yield f'ALTER TABLE "{table}" DROP CONSTRAINT "{covered}"'


KEYS_OF_COLUMN = """
    SELECT c.conname FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
    WHERE c.contype = 'f' AND c.conrelid = to_regclass(quote_ident(%s)) AND a.attname = %s
"""


def _sqlite(cursor, link: models.ForeignKey) -> Iterator[str]:
    table, target, name = link.model._meta.db_table, link.related_model._meta.db_table, _name(link)
    stranger = (
        f'NEW."{link.column}" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "{target}" '
        f'WHERE id = NEW."{link.column}" AND workspace_id = NEW.workspace_id)'
    )
    refuse = f"BEGIN SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed: {name}'); END"
    yield _stay(target)
    for when, event in (("insert", "INSERT"), ("update", f'UPDATE OF "{link.column}", workspace_id')):
        yield f'CREATE TRIGGER IF NOT EXISTS "{name}_{when}" BEFORE {event} ON "{table}" WHEN {stranger} {refuse}'


def _stay(target: str) -> str:
    """Return a trigger against moving the target row; on PostgreSQL the composite key rejects that."""
    return (
        f'CREATE TRIGGER IF NOT EXISTS "{target}_workspace_stays" BEFORE UPDATE OF workspace_id ON "{target}" '
        f"WHEN NEW.workspace_id IS NOT OLD.workspace_id "
        f"BEGIN SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed: {target} stays in its workspace'); END"
    )


_STATEMENTS = {"postgresql": _postgresql, "sqlite": _sqlite}
