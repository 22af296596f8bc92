"""Sealing and verification of the audit log, on PostgreSQL and in a SQLite file."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator

from django.utils import timezone

from audit.models import Entry
from audit.sealing import seal_all
from audit.verify import verify
from bench.measure import Ratio, seconds
from crm.kit.scope import in_workspace
from crm.kit.sql import insert_rows
from crm.users.models import Workspace

LIMIT = 10.0  # seconds to verify 100,000 entries
ROUNDS = 3


def ratios(size: int) -> Iterator[Ratio]:
    """Yield ratios for `size` entries in one workspace, sealed once and verified several times."""
    for engine, take in (("PostgreSQL", measured), ("SQLite", _measured_on_sqlite)):
        sealing, verifying = take(size)
        times = iter(verifying)
        name = f"{engine}: seconds to verify {size:,} entries (sealed in {sealing:.1f} s)"
        yield Ratio("A1", name, LIMIT * size / 100_000, lambda times=times: next(times), rounds=ROUNDS)


def measured(size: int) -> tuple[float, list[float]]:
    """Return the seconds to seal `size` new entries, and to verify them repeatedly."""
    workspace = Workspace.objects.create(slug="audit", name="Audit")
    seal_all()  # left by other parts
    with in_workspace(workspace):
        _write(size)
        sealing = seconds(seal_all)
        return sealing, [seconds(_verify) for _ in range(ROUNDS + 1)]


def _write(size: int) -> None:
    now, change = timezone.now(), uuid.uuid4()
    shared = {"at": now, "recorded_at": now, "channel": "web", "event": "contact.updated", "action": "UPDATE"}
    shared |= {"entity": "contact", "severity": "info", "category": "operational", "change": change}
    rows = (
        (
            n,
            n,
            json.dumps({"stage": "lead", "title": ""}),
            json.dumps({"stage": "qualified", "title": f"Buyer {n}"}),
            salt,
        )
        for n, salt in ((n, secrets.token_hex(16)) for n in range(size))
    )
    insert_rows(Entry, ("entity_id", "person", "old_values", "new_values", "salt"), rows, shared)


def _verify() -> None:
    assert not verify().problem  # noqa: S101


MEASURED = "import django, json; django.setup(); from bench.audit import measured; print(json.dumps(measured({})))"


def _measured_on_sqlite(size: int) -> tuple[float, list[float]]:
    with tempfile.TemporaryDirectory() as directory:
        environ = os.environ | {"DATABASE_URL": "", "DATA_DIR": directory}
        for command in (["-m", "manage", "migrate", "--verbosity", "0"], ["-c", MEASURED.format(size)]):
            told = subprocess.run([sys.executable, *command], env=environ, check=True, stdout=subprocess.PIPE)
        return tuple(json.loads(told.stdout))
