"""The database refuses to change or delete an entry of the audit log, whoever asks.

One UPDATE passes: the erasing of a person's values, which leaves everything else as it was and names the ERASE entry
that stands for it. Installed after every migrate, because SQLite drops the triggers of a table that is altered.
"""

from django.db import connections

from audit.models import Entry

ERASED = ("old_values", "new_values", "note", "salt")
TABLE = Entry._meta.db_table
KEPT = [f.column for f in Entry._meta.concrete_fields if f.column not in (*ERASED, "erased_by")]
REFUSAL = "The audit log is append-only."


def protect_log(using: str = "default", **kwargs) -> None:
    """Install the triggers; a receiver of post_migrate."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if TABLE in connection.introspection.table_names(cursor):
            for statement in _STATEMENTS[connection.vendor]():
                cursor.execute(statement)


def _is_erasing(distinct: str) -> str:
    """Whether an UPDATE has the one shape that passes, as SQL over OLD and NEW."""
    erased = " AND ".join(f'NEW."{column}" IS NULL' for column in ERASED)
    same = " AND ".join(f'NEW."{column}" {distinct} OLD."{column}"' for column in KEPT)
    named = (
        f'EXISTS (SELECT 1 FROM "{TABLE}" e WHERE e.id = NEW.erased_by '
        f"AND e.workspace_id = OLD.workspace_id AND e.action = 'ERASE')"
    )
    return f"{erased} AND OLD.erased_by IS NULL AND {named} AND {same}"


def _postgresql() -> list[str]:
    allowed = _is_erasing("IS NOT DISTINCT FROM")
    return [
        f"""CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF {allowed} THEN RETURN NEW; END IF;
            END IF;
            RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
        END $$""",
        f'CREATE OR REPLACE TRIGGER audit_no_update BEFORE UPDATE ON "{TABLE}" '
        "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        f'CREATE OR REPLACE TRIGGER audit_no_delete BEFORE DELETE ON "{TABLE}" '
        "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        f'CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON "{TABLE}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    ]


def _sqlite() -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    return [
        "DROP TRIGGER IF EXISTS audit_no_update",  # what a new release erases may differ
        f'CREATE TRIGGER audit_no_update BEFORE UPDATE ON "{TABLE}" WHEN NOT COALESCE({_is_erasing("IS")}, 0) {refuse}',
        f'CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON "{TABLE}" {refuse}',
    ]


_STATEMENTS = {"postgresql": _postgresql, "sqlite": _sqlite}
