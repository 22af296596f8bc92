"""Cost of moving records by a verb, with checks, log and events, against PostgreSQL's bare writes."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from bench.data import Place, place
from bench.measure import Ratio, seconds
from contacts.models import Contact
from contacts.verbs.churn import churn
from crm.kit.actor import Actor
from crm.kit.scope import in_workspace
from tests.services import postgres_programs

ONE_BY_ONE = 200  # transitions per measurement


def ratios(size: int) -> Iterator[Ratio]:
    """Yield ratio 8, `size` contacts at once, and ratio 9, one contact after another."""
    many, few = place(f"moves-{size}", size), place("moves-one", 12 * ONE_BY_ONE)
    with in_workspace(many.workspace):
        _all_customers()
        yield Ratio("8", f"bulk transition of {size:,} rows / plain UPDATE", 2.5, lambda: _bulk(many), rounds=3)
    with in_workspace(few.workspace):
        _all_customers()
        name = "pgbench of the writes of a transition / its verb, 1 client"
        yield Ratio("9", name, 0.3, lambda: _one_by_one(few), at_most=False, rounds=5)


def _all_customers() -> None:
    Contact.objects.update(lifecycle_stage="customer")


def _bulk(at: Place) -> float:
    """Compare churning all by the verb with an UPDATE of the same columns."""
    verb = seconds(lambda: churn(Contact.objects.all(), by=_manager(at)).or_raise())
    _all_customers()
    plain = seconds(lambda: Contact.objects.update(**_left()))
    _all_customers()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM contacts_contact")
    return verb / plain


def _left() -> dict:
    now = timezone.now()
    moved = {"lifecycle_stage": "churned", "lifecycle_stage_since": now, "updated_at": now}
    return moved | {"version": F("version") + 1}


def _manager(at: Place) -> Actor:
    return at.manager.actor("web")


def _one_by_one(at: Place) -> float:
    _all_customers()
    people = list(Contact.objects.order_by("pk").values_list("pk", flat=True)[:ONE_BY_ONE])
    verb = seconds(lambda: [churn(Contact.objects.filter(pk=pk), by=_manager(at)) for pk in people]) / ONE_BY_ONE
    return _pgbench(at, people[0]) / verb


def _pgbench(at: Place, first: int) -> float:
    """Return the seconds pgbench takes for one transition's writes as single statements."""
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory) / "transition.sql"
        script.write_text(SCRIPT.format(workspace=at.workspace.pk, first=first, last=first + ONE_BY_ONE - 1))
        told = subprocess.run(
            [_program(), "-n", "-M", "prepared", "-t", str(ONE_BY_ONE), "-f", script, *_server()],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return 1 / float(re.findall(r"tps = ([\d.]+)", told)[-1])


def _program() -> Path:
    return (postgres_programs() or Path()) / "pgbench"


def _server() -> list[str]:
    own = settings.DATABASES["default"]
    return ["-h", str(own["HOST"]), "-p", str(own["PORT"]), "-U", str(own["USER"]), str(own["NAME"])]


SCRIPT = """
\\set id random({first}, {last})
BEGIN;
SELECT lifecycle_stage, lifecycle_stage_since FROM contacts_contact
    WHERE workspace_id = {workspace} AND id = :id FOR UPDATE;
INSERT INTO lifecycle_transition (workspace_id, entity, axis, record_id, from_value, to_value, verb, reason, at,
    recorded_at, spent, channel, change)
    VALUES ({workspace}, 'contact', 'lifecycle_stage', :id, 'customer', 'churned', 'churn', '', now(), now(), '1 day',
    'web', gen_random_uuid());
INSERT INTO audit_entry (workspace_id, event, action, entity, entity_id, person, channel, change, old_values,
    new_values, severity, category, salt, at, recorded_at)
    VALUES ({workspace}, 'contact.churned', 'CHURN', 'contact', :id, :id, 'web', gen_random_uuid(),
    '{{"lifecycle_stage": "customer"}}', '{{"lifecycle_stage": "churned"}}', 'info', 'operational',
    replace(gen_random_uuid()::text, '-', ''), now(), now());
UPDATE contacts_contact SET lifecycle_stage = 'churned', lifecycle_stage_since = now(), updated_at = now(),
    version = version + 1 WHERE workspace_id = {workspace} AND id = :id;
COMMIT;
"""
