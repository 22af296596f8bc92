"""python -m bench.sqlite_import FILE: import into SQLite against executemany of the plain contact rows.

In a process of its own, with DATA_DIR and DATABASE_URL of an empty database. Prints the ratio.
"""

import io
import sqlite3
import sys
import time
from contextlib import closing

import django
from django.core.management import call_command
from django.db import connection


def main(file: str) -> float:
    """Return the time of executemany over that of importing the same people."""
    from crm.kit.actor import system
    from crm.users.verbs.create_workspace import create_workspace

    call_command("migrate", interactive=False, verbosity=0)
    create_workspace("imports", by=system(0))
    started = time.perf_counter()
    call_command("import_contacts", file, workspace="imports", stdout=io.StringIO())
    importing = time.perf_counter() - started
    return _plain(str(connection.settings_dict["NAME"])) / importing


def _plain(path: str) -> float:
    """Insert the same rows into the same fully indexed table, in one transaction."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT * FROM contacts_contact").fetchall()
        with database:
            database.execute("DROP TRIGGER contact_addresses_insert")  # of the rows of addresses
            database.execute("DELETE FROM contacts_contact")
        started = time.perf_counter()
        with database:
            marks = ", ".join("?" * len(rows[0]))
            database.executemany(f"INSERT INTO contacts_contact VALUES ({marks})", rows)
        return time.perf_counter() - started


if __name__ == "__main__":
    django.setup()
    print(main(sys.argv[1]))
