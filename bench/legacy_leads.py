"""Cost of migrating legacy leads: leads per second, against COPY of a run's rows, and memory by size.

Also checks that each result matches the plan.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from django.db import connection, transaction

from bench.copying import dump, seconds_to_copy
from bench.data import place
from bench.measure import Ratio
from contacts.models import Contact
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.legacy_leads.models import LegacyLead, MigrationRun
from crm.legacy_leads.moving.plan import PlannedLead
from crm.legacy_leads.moving.run import Order, commit, dry_run
from crm.legacy_leads.moving.undo import undo_migration
from crm.opportunities.verbs.create import create as open_opportunity
from crm.users.models import Workspace

WRITTEN = (
    "contacts_company",
    "contacts_contact",
    "leads_lead",
    "leads_score",
    "opportunities_opportunity",
    "events_event",
    "audit_entry",
    "lifecycle_transition",
    "leads_movedlead",
)
MARKED = "leads_legacylead"  # its rows are also updated, with their results
_numbers = count(1)


def ratios(size: int) -> Iterator[Ratio]:
    """Yield L1 to L5: each measurement in a workspace of its own."""
    yield Ratio(
        "L1", f"leads a second, of {size:,} of every combination", 3_000, lambda: _rate(size), at_most=False, rounds=3
    )
    name = "COPY of the rows that a migration writes / the migration"
    yield Ratio("L2", name, 0.3, lambda: _against_copy(size), at_most=False, rounds=3)
    yield Ratio("L3", "undoing a migration / the migration", 3, lambda: _undo(size), rounds=1)
    name = f"peak memory with {size:,} leads / with {size // 10:,}"
    yield Ratio("L4", name, 1.5, lambda: _memory(size) / _memory(size // 10), rounds=1)
    name = f"of {size:,} leads, those that came to something else than planned"
    yield Ratio("L5", name, 0, lambda: _surprises(size), rounds=1)


def figures() -> Iterator[str]:
    """Yield the cost per migrated lead: of all combinations, seven in ten stay in place."""
    size = 100_000
    workspace = _in_progress(_fresh(size))
    yield f"{size:,} leads all in progress: {size / _migrate(workspace):,.0f} a second"


def _rate(size: int) -> float:
    return size / _migrate(_fresh(size))


def _undo(size: int) -> float:
    workspace = _fresh(size)
    migrating = _migrate(workspace)
    started = time.perf_counter()
    with in_workspace(workspace):
        undo_migration(by=system(workspace.pk))
    return (time.perf_counter() - started) / migrating


def _surprises(size: int) -> int:
    workspace, planned = _fresh(size), {}
    by = system(workspace.pk)

    def tell(step: PlannedLead) -> None:
        planned[step.lead.pk] = (step.outcome, step.why, step.value_note, step.opportunity)

    with in_workspace(workspace):
        dry_run(Order(told=tell), by=by)
        commit(Order(), by=by)
        came = LegacyLead.objects.values_list("pk", "outcome", "outcome_note", "value_note", "became_opportunity")
        return sum(planned.pop(pk) != (*said, made is not None) for pk, *said, made in came.iterator()) + len(planned)


def _against_copy(size: int) -> float:
    marked = _last(MARKED)
    workspace = _fresh(size)
    before = {table: _last(table) for table in WRITTEN}
    migrating = _migrate(workspace)
    written = {table: _dump(table, last) for table, last in before.items()}
    written[MARKED] = _dump(MARKED, marked)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # skips the log's trigger, only here
        for table, last in before.items():
            cursor.execute(f"DELETE FROM {table} WHERE {_key(table)} > {last}")
        cursor.execute(f"DELETE FROM {MARKED} WHERE workspace_id = %s", [workspace.pk])
    return seconds_to_copy(written) / migrating


def _key(table: str) -> str:
    return "lead_id" if table == "leads_score" else "id"


def _last(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max({_key(table)}), 0) FROM {table}")
        return cursor.fetchone()[0]


def _dump(table: str, last: int) -> bytes:
    return dump(f"(SELECT * FROM {table} WHERE {_key(table)} > {last})")


def _migrate(workspace: Workspace) -> float:
    started = time.perf_counter()
    with in_workspace(workspace):
        commit(Order(), by=system(workspace.pk))
    return time.perf_counter() - started


def _memory(size: int) -> float:
    """Return the command's peak memory, run like an operator would."""
    workspace = _fresh(size)
    command = [sys.executable, "manage.py", "migrate_leads", "--commit", "--workspace", workspace.slug]
    process = subprocess.Popen(command, cwd=Path(__file__).parent.parent, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)  # exits with 1 if leads cannot be migrated
    with in_workspace(workspace):
        assert MigrationRun.objects.get().state == MigrationRun.State.COMMITTED  # noqa: S101
    print(f"    {size:,} leads: {usage.ru_maxrss / 1024:,.0f} MB")
    return usage.ru_maxrss


def _fresh(size: int) -> Workspace:
    """Return a workspace with `size` legacy leads of all combinations, and a contact per four, some with two leads."""
    workspace = place(f"legacy-{next(_numbers)}", size // 4).workspace
    with in_workspace(workspace):
        deals = [{"name": "Deal", "contact": contact, "owner": None} for contact in Contact.objects.all()[::9]]
        open_opportunity(deals, by=system(workspace.pk))
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM contacts_contact WHERE workspace_id = %s", [workspace.pk])
        told = {"workspace": workspace.pk, "first": cursor.fetchone()[0], "contacts": size // 4, "size": size}
        cursor.execute(LEADS, told)
        cursor.execute(
            "INSERT INTO leads_oldleads (workspace_id, since, digest, rows) VALUES (%s, now(), '', 0)", [workspace.pk]
        )
        cursor.execute("VACUUM ANALYZE leads_legacylead")
    return workspace


def _in_progress(workspace: Workspace) -> Workspace:
    """Make all legacy leads migratable."""
    with connection.cursor() as cursor:
        alike = "status = 'working', archived_at = NULL, deleted_at = NULL"
        cursor.execute(f"UPDATE leads_legacylead SET {alike} WHERE workspace_id = %s", [workspace.pk])
        cursor.execute("VACUUM ANALYZE leads_legacylead")
    return workspace


# Linked or not (to prospects, customers, contacts with an opportunity), six kinds of email, a value or none, the
# status, archived or not: each combination equally often; and a few without a name, or in the trash.
LEADS = """
    INSERT INTO leads_legacylead (workspace_id, public_id, external_id, name, name_key, first_name, last_name, email,
        phone, company_name, status, source, description, estimated_value, currency, contact_id, custom, search_text,
        outcome, outcome_note, value_note, version, created_at, updated_at, archived_at, deleted_at)
    SELECT %(workspace)s, 'old_' || %(workspace)s || '_' || n, 'old-' || n, repeat('Lead ' || n, (n %% 97 > 0)::int),
        'lead ' || n, 'Lead', n::text,
        CASE n / 2 %% 6 WHEN 1 THEN 'old' || n || '@x.example' WHEN 2 THEN 'P' || pair + 1 || '@example.com'
            WHEN 3 THEN 'both' || n / 12 || '@x.example' WHEN 4 THEN 'BOTH' || n / 12 || '@X.example'
            WHEN 5 THEN 'broken ' || n || ' @@' ELSE '' END,
        '+34 600 ' || n, 'Firm ' || %(workspace)s || ' ' || n / 9,
        (ARRAY['new', 'working', 'qualified', 'lost', 'converted'])[1 + n / 36 %% 5],
        'Fair', 'Wants ' || n || ' vans', (ARRAY[NULL, 0, 100.50])[1 + n / 12 %% 3], (ARRAY['EUR', 'USD'])[1 + n %% 2],
        CASE WHEN n %% 2 = 0 THEN %(first)s + pair END, '{}', 'lead ' || n, '', '', '', 1,
        now() - n * interval '1 minute', now(),
        CASE WHEN n / 180 %% 2 = 0 THEN now() END, CASE WHEN n %% 61 = 9 THEN now() END
    FROM generate_series(1, %(size)s) n, LATERAL (SELECT n / 2 %% %(contacts)s AS pair) linked
"""
