"""Triggers that keep ContactAddress equal to the addresses of live contacts.

Contacts are written by forms, imports, merges, undo and the trash, one by one and by the thousand. The database copies
their addresses in the same statement, so that none of these can forget it, and a taken email fails all of them alike.
Installed after every migrate, because SQLite drops the triggers of an altered table.

Why: docs/decisions/0080-addresses-are-values-of-the-contact.md
"""

from django.db import connections

from contacts.models import Contact, ContactAddress

TABLE, ROWS = Contact._meta.db_table, ContactAddress._meta.db_table
INSERT = f"INSERT INTO {ROWS} (workspace_id, contact_id, kind, position, key, value, label)"


def copy_addresses(using: str = "default", **kwargs) -> None:
    """Install the triggers; a receiver of post_migrate."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if {TABLE, ROWS} <= set(connection.introspection.table_names(cursor)):
            for statement in _STATEMENTS[connection.vendor]():
                cursor.execute(statement)


def insert_from(vendor: str, contacts: str) -> str:
    """Return the statement that copies the addresses of the live rows of `contacts`, a table."""
    rows, value = _ROWS[vendor]
    kind, position, *texts = (value.format(n) for n in range(5))
    columns = ", ".join((kind, f"CAST({position} AS integer)", *texts))
    return (
        f"{INSERT} SELECT c.workspace_id, c.id, {columns} "
        f"FROM {contacts} c CROSS JOIN {rows} a WHERE c.deleted_at IS NULL"
    )


_ROWS = {
    "postgresql": ("jsonb_array_elements(c.address_rows)", "a->>{}"),
    "sqlite": ("json_each(c.address_rows)", "json_extract(a.value, '$[{}]')"),
}


def _postgresql() -> list[str]:
    """One function for both triggers: an INSERT copies all of its rows at once, an UPDATE the few that differ."""
    return [
        f"""CREATE OR REPLACE FUNCTION contact_addresses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                {insert_from("postgresql", "added")};
            ELSE
                DELETE FROM {ROWS} WHERE contact_id = NEW.id;
                {insert_from("postgresql", "(SELECT NEW.*)")};
            END IF;
            RETURN NULL;
        END $$""",
        f"CREATE OR REPLACE TRIGGER contact_addresses_insert AFTER INSERT ON {TABLE} "
        "REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION contact_addresses()",
        f"CREATE OR REPLACE TRIGGER contact_addresses_update AFTER UPDATE OF address_rows, deleted_at ON {TABLE} "
        "FOR EACH ROW WHEN ((NEW.address_rows, NEW.deleted_at) IS DISTINCT FROM (OLD.address_rows, OLD.deleted_at)) "
        "EXECUTE FUNCTION contact_addresses()",
    ]


def _sqlite() -> list[str]:
    copy = insert_from("sqlite", TABLE) + " AND c.id = NEW.id"
    return [
        f"CREATE TRIGGER IF NOT EXISTS contact_addresses_insert AFTER INSERT ON {TABLE} BEGIN {copy}; END",
        f"CREATE TRIGGER IF NOT EXISTS contact_addresses_update AFTER UPDATE OF address_rows, deleted_at ON {TABLE} "
        "WHEN (NEW.address_rows, NEW.deleted_at) IS NOT (OLD.address_rows, OLD.deleted_at) "
        f"BEGIN DELETE FROM {ROWS} WHERE contact_id = NEW.id; {copy}; END",
    ]


_STATEMENTS = {"postgresql": _postgresql, "sqlite": _sqlite}
