"""Triggers that reject any change or deletion of an audit entry or seal.

One UPDATE passes: the erasure of a person's values, which leaves the rest of an entry unchanged and names the later
ERASE entry of the same person. audit.verify checks that the ERASE entry covers all of the person's entries, and as many
as it states. Installed after every migrate, because SQLite drops the triggers of an altered table.
"""

from django.db import connections

from audit.models import Entry, Seal

ERASED = ("old_values", "new_values", "note", "salt")
TABLE = Entry._meta.db_table
SEALS = Seal._meta.db_table
KEPT = [f.column for f in Entry._meta.concrete_fields if f.column not in (*ERASED, "erased_by")]
REFUSAL = "The audit log is append-only."  # not a text
NAMES = {TABLE: "audit", SEALS: "seal"}  # prefixes of the triggers' names


def protect_log(using: str = "default", **kwargs) -> None:
    """Install the triggers; a receiver of post_migrate."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for table in NAMES.keys() & set(connection.introspection.table_names(cursor)):
            for statement in _STATEMENTS[connection.vendor](table):
                cursor.execute(statement)


def _allowed(table: str, distinct: str) -> str:
    """Return the SQL test, over OLD and NEW, for an allowed UPDATE of `table`."""
    return _is_erasing(distinct) if table == TABLE else "FALSE"


def _is_erasing(distinct: str) -> str:
    erased = " AND ".join(f'NEW."{column}" IS NULL' for column in ERASED)
    same = " AND ".join(f'NEW."{column}" {distinct} OLD."{column}"' for column in KEPT)
    named = (
        f'EXISTS (SELECT 1 FROM "{TABLE}" e WHERE e.id = NEW.erased_by '
        f"AND e.workspace_id = OLD.workspace_id AND e.action = 'ERASE' AND e.person = OLD.person AND e.id > OLD.id)"
    )
    return f"{erased} AND OLD.erased_by IS NULL AND OLD.action <> 'ERASE' AND {named} AND {same}"


def _postgresql(table: str) -> list[str]:
    name = NAMES[table]
    return [
        f"""CREATE OR REPLACE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF {_allowed(table, "IS NOT DISTINCT FROM")} THEN RETURN NEW; END IF;
            END IF;
            RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
        END $$""",
        f'CREATE OR REPLACE TRIGGER {name}_no_update BEFORE UPDATE ON "{table}" '
        f"FOR EACH ROW EXECUTE FUNCTION {name}_refuse()",
        f'CREATE OR REPLACE TRIGGER {name}_no_delete BEFORE DELETE ON "{table}" '
        f"FOR EACH ROW EXECUTE FUNCTION {name}_refuse()",
        f'CREATE OR REPLACE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON "{table}" '
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_refuse()",
    ]


def _sqlite(table: str) -> list[str]:
    name, refuse = NAMES[table], f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    return [
        f"DROP TRIGGER IF EXISTS {name}_no_update",  # a new release may erase other columns
        f'CREATE TRIGGER {name}_no_update BEFORE UPDATE ON "{table}" '
        f"WHEN NOT COALESCE({_allowed(table, 'IS')}, 0) {refuse}",
        f'CREATE TRIGGER IF NOT EXISTS {name}_no_delete BEFORE DELETE ON "{table}" {refuse}',
    ]


_STATEMENTS = {"postgresql": _postgresql, "sqlite": _sqlite}
