"""Database constraints against links between workspaces.

After every migrate, introspection finds each foreign key between two models of a workspace and covers it: on PostgreSQL
by a composite foreign key, replacing Django's own, which would check half of it again per row; on SQLite by triggers
(which a table change drops, so a migration alone is not enough). New keys are covered automatically, and so are those
that a model names itself: `KEYS` holds (columns, model, its columns), for links that are more than a primary key.

Why: docs/decisions/0051-workspace-scope-and-composite-keys.md
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.apps import apps
from django.db import connections, models

from crm.kit.logged import Logged
from crm.users.models import Owned


class Key(NamedTuple):
    """Columns of a table that name a row of another. `name`: of the constraint; `replaces`: a column of Django's."""

    table: str
    columns: tuple[str, ...]
    target: str
    named: tuple[str, ...]
    name: str
    replaces: str = ""


def links() -> Iterator[models.ForeignKey]:
    for model in _models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and issubclass(field.related_model, Owned | Logged):
                yield field


def _models() -> Iterator[type[models.Model]]:
    return (model for model in apps.get_models() if issubclass(model, Owned | Logged))


def keys() -> Iterator[Key]:
    for link in links():
        table, target = link.model._meta.db_table, link.related_model._meta.db_table
        both = ("workspace_id", link.column), ("workspace_id", "id")
        yield Key(table, both[0], target, both[1], f"{table}_{link.column}_workspace", link.column)
    for model in _models():
        for columns, target, named in getattr(model, "KEYS", ()):
            name = f"{model._meta.db_table}_{columns[1]}_key"
            yield Key(model._meta.db_table, columns, target._meta.db_table, named, name)


def protect_links(using: str = "default", **kwargs) -> None:
    """Cover every uncovered link; a receiver of post_migrate."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for key in keys():
            if {key.table, key.target} <= tables:
                for statement in _STATEMENTS[connection.vendor](cursor, key):
                    cursor.execute(statement)


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _postgresql(cursor, key: Key) -> Iterator[str]:
    if key.replaces:
        yield f'CREATE UNIQUE INDEX IF NOT EXISTS "{key.target}_workspace_pk" ON "{key.target}" ({_listed(key.named)})'
    cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [key.name])
    if cursor.fetchone() is None:
        # NOT VALID holds its lock only briefly; VALIDATE reads the table without blocking writers.
        yield (
            f'ALTER TABLE "{key.table}" ADD CONSTRAINT "{key.name}" FOREIGN KEY ({_listed(key.columns)}) '
            f'REFERENCES "{key.target}" ({_listed(key.named)}) DEFERRABLE INITIALLY DEFERRED NOT VALID'
        )
        yield f'ALTER TABLE "{key.table}" VALIDATE CONSTRAINT "{key.name}"'
    if key.replaces:
        cursor.execute(KEYS_OF_COLUMN, [key.table, key.replaces])
        for (covered,) in cursor.fetchall():
            yield f'ALTER TABLE "{key.table}" DROP CONSTRAINT "{covered}"'


KEYS_OF_COLUMN = """
    SELECT c.conname FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
    WHERE c.contype = 'f' AND c.conrelid = to_regclass(quote_ident(%s)) AND a.attname = %s
"""


def _sqlite(cursor, key: Key) -> Iterator[str]:
    pairs = list(zip(key.columns, key.named, strict=True))
    given = " AND ".join(f'NEW."{column}" IS NOT NULL' for column in key.columns)
    found = " AND ".join(f'"{named}" = NEW."{column}"' for column, named in pairs)
    stranger = f'{given} AND NOT EXISTS (SELECT 1 FROM "{key.target}" WHERE {found})'
    refuse = f"BEGIN SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed: {key.name}'); END"
    yield _stay(key.target)
    for when, event in (("insert", "INSERT"), ("update", f"UPDATE OF {_listed(key.columns)}")):
        trigger = f'CREATE TRIGGER IF NOT EXISTS "{key.name}_{when}" BEFORE {event} ON "{key.table}"'
        yield f"{trigger} WHEN {stranger} {refuse}"


def _stay(target: str) -> str:
    """Return a trigger against moving the target row; on PostgreSQL the composite key rejects that."""
    return (
        f'CREATE TRIGGER IF NOT EXISTS "{target}_workspace_stays" BEFORE UPDATE OF workspace_id ON "{target}" '
        f"WHEN NEW.workspace_id IS NOT OLD.workspace_id "
        f"BEGIN SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed: {target} stays in its workspace'); END"
    )


_STATEMENTS = {"postgresql": _postgresql, "sqlite": _sqlite}
