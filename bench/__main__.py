"""`make bench`: the ratios the product promises, each against what the database or the framework can do.

On a PostgreSQL of its own that is as durable as in production, thrown away afterwards. Exit status 1 when one fails.
"""

import argparse
import importlib
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.core.management import call_command

from bench.measure import HEAD, line
from tests.services import postgres, postgres_programs

# A part is a module with ratios(size) -> Iterator[Ratio], which creates its data, and optionally figures() ->
# Iterator[str] for absolute times.
PARTS = (
    "bench.sqlite",
    "bench.waiting",
    "bench.pages",
    "bench.opportunities",
    "bench.retiring",
    "bench.own_process",
    "bench.translation",
    "bench.moves",
    "bench.functions",
    "bench.imports",
    "bench.audit",
    "bench.engine",
    "bench.scores",
    "bench.legacy_leads",
    "bench.workflows",
    "bench.dashboards",
    "bench.load",
    "bench.statistics",
)
# Rare checkpoints: one during a measurement would slow one side.
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=512MB", "max_wal_size=8GB")


def main() -> int:
    """Measure every part named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--size", type=int, default=100_000, help="contacts to measure with (default 100000)")
    options = parser.parse_args()
    if unknown := set(options.part) - set(PARTS):
        parser.error(f"there is no part {min(unknown)!r}; there are {', '.join(PARTS)}")
    if postgres_programs() is None:
        print("PostgreSQL is not installed: the ratios are measured on it.", file=sys.stderr)
        return 1
    with _project():
        return 0 if all([_measure(name, options.size) for name in options.part or PARTS]) else 1


@contextmanager
def _project() -> Iterator[None]:
    """Set up the project as in production, on a migrated database of its own."""
    with tempfile.TemporaryDirectory(prefix="throughline-") as directory, postgres(*DURABLE) as url:
        os.environ |= {
            "DATABASE_URL": url,
            "DATA_DIR": directory,
            "DEBUG": "0",
            "SECRET_KEY": secrets.token_urlsafe(50),
        }
        os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        yield


def _measure(name: str, size: int) -> bool:
    part = importlib.import_module(name)
    print(f"\n{name}\n{HEAD}")
    all_hold = True
    for ratio in part.ratios(size):
        text, holds = line(ratio)
        all_hold &= holds
        print(text, flush=True)
    for text in getattr(part, "figures", lambda: ())():
        print(text, flush=True)
    return all_hold


if __name__ == "__main__":
    sys.exit(main())
