"""/readyz and /metrics: whether this installation works, and how far behind it is."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from crm.events.models import Delivery, Event, Heartbeat, State
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.migrated import is_migrated
from crm.kit.nav import COUNT_LIMIT

PARTS = ("relay", "scheduler")
SILENCE = timedelta(seconds=10)  # without a heartbeat, after which a part counts as stopped
LATE = timedelta(minutes=5)  # tolerated delay of a due delivery
NO_STORE = {"Cache-Control": "no-store"}


def status(**only: int) -> dict[str, int]:
    """Return the counts of pending, leased and dead deliveries, and the age in seconds of the oldest unhandled event.

    Each event waiting for the relay counts as one pending delivery. `workspace_id` limits it to one workspace.
    """
    waiting = Event.objects.unscoped().filter(waiting=True, **only)
    undone = Delivery.objects.unscoped().undone().filter(**only)
    counts = dict(undone.order_by().values_list("state").annotate(Count("pk")))
    times = [waiting.order_by("pk").values_list("recorded_at").first()]
    times += [undone.exclude(state=State.DEAD).order_by("event_id").values_list("event__recorded_at").first()]
    ages = [(timezone.now() - found[0]).total_seconds() for found in times if found]
    return {
        "pending": counts.get(State.PENDING, 0) + waiting.count(),
        "leased": counts.get(State.LEASED, 0),
        "dead": counts.get(State.DEAD, 0),
        "oldest_seconds": round(max(ages, default=0)),
    }


def overdue_deliveries(by: Actor) -> QuerySet:
    """Return the workspace's deliveries that are dead or more than LATE overdue, as counted for admins."""
    dead, late = Q(due_at__isnull=True), Q(due_at__lt=clock.now() - LATE)
    return Delivery.objects.undone().filter(dead | late)[:COUNT_LIMIT]


@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """GET /readyz: 200, or 503 with a reason per line (database, migrations, engine, lag). Dead deliveries warn."""
    lines = []
    try:
        for check in (_database, _migrations, _engine, _lag):
            lines.append(check())
        lines.append(_dead())
    except DatabaseError:
        lines.append("database: can't be used")  # not a text
    problems = [line for line in lines if line and not line.startswith("warning")]
    body = "\n".join([line for line in lines if line] or ["ready"]) + "\n"
    return HttpResponse(body, content_type="text/plain", status=503 if problems else 200, headers=NO_STORE)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _migrations() -> str:
    return "" if is_migrated() else "migrations: some are pending; run manage.py migrate"  # not a text


def _engine() -> str:
    alive = Heartbeat.objects.filter(at__gt=timezone.now() - SILENCE).values_list("part", flat=True)
    silent = [part for part in PARTS if part not in set(alive)]
    return f"engine: no heartbeat from {', '.join(silent)}; run manage.py up or engine" if silent else ""  # not a text


def _lag() -> str:
    late = timezone.now() - LATE
    overdue_deliveries = Delivery.objects.unscoped().due(late).exists()
    if overdue_deliveries or Event.objects.unscoped().filter(waiting=True, recorded_at__lt=late).exists():
        return f"lag: an event has been waiting for more than {LATE.seconds // 60} minutes"  # not a text
    return ""


def _dead() -> str:
    dead = Delivery.objects.unscoped().dead().count()
    return f"warning: {dead} dead deliveries; run manage.py outbox status" if dead else ""  # not a text


@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """GET /metrics: the engine's metrics in Prometheus text format, for a bearer token equal to METRICS_TOKEN.

    404 for other requests and if no token is set: behind a proxy every client appears local.
    """
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not secrets.compare_digest(given.encode(), token.encode()):
        raise Http404
    return HttpResponse(_exposition(), content_type="text/plain; version=0.0.4; charset=utf-8", headers=NO_STORE)


def _exposition() -> str:
    now, found = timezone.now(), status()
    gauges: dict[str, float] = {
        f'throughline_deliveries{{state="{state}"}}': found[state] for state in ("pending", "leased", "dead")
    }
    gauges["throughline_oldest_event_seconds"] = found["oldest_seconds"]
    for beat in Heartbeat.objects.all():
        gauges[f'throughline_heartbeat_age_seconds{{part="{beat.part}"}}'] = round((now - beat.at).total_seconds(), 1)
    families = dict.fromkeys(name.partition("{")[0] for name in gauges)
    return "".join(
        f"# TYPE {family} gauge\n"
        + "".join(f"{name} {value}\n" for name, value in gauges.items() if name.partition("{")[0] == family)
        for family in families
    )
