"""Cost of scoring: a million leads from their sums, and a few after events, against summing all events."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from django.db import connection, transaction

from bench.measure import Ratio, seconds
from contacts.models import EngagementEvent
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.users.models import Workspace
from crm.users.verbs.create_workspace import create_workspace
from leads.scoring.runs import end_of_batch, finish_scoring_run, open_run, score_batch
from leads.scoring.score import add

EVENTS = 5  # per lead
TOUCHED = 0.014  # share of leads with a new event
ROUNDS = 5
START = datetime.now(UTC)
_hours = count(1)


def ratios(size: int) -> Iterator[Ratio]:
    """Yield ratios 6 and 7: each full rescore is an hour after the previous, as scheduled."""
    workspace = create_workspace("scores", by=system(0))[0]
    with in_workspace(workspace):
        _fill(workspace.pk, size)
        _rescore()
        name = f"rescore of {size:,} leads from their sums / adding up {size * EVENTS:,} events"
        yield Ratio("6", name, 1.0, lambda: _full() / seconds(lambda: _aggregate(workspace)), rounds=ROUNDS)
        name = f"rescore after events of {int(size * TOUCHED):,} leads / full rescore"
        yield Ratio("7", name, 0.2, lambda: _touched(size) / _full(), rounds=ROUNDS)


def figures() -> Iterator[str]:
    """Yield a whole run with stages, and whether its updates are in place."""
    workspace = Workspace.objects.get(slug="scores")
    with in_workspace(workspace):
        by, at = system(workspace.pk), START + timedelta(hours=next(_hours))
        run = open_run(at=at, by=by)
        took = seconds(lambda: finish_scoring_run(run, by=by))
        run.refresh_from_db()
    yield f"a whole run: {took:.1f} s for {run.leads:,} leads, {run.changed:,} scores and {run.down:,} stages"
    with connection.cursor() as cursor:
        cursor.execute("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'leads_score'")
        updated, hot = cursor.fetchone()
    yield f"{updated:,} scores were rewritten, {hot / max(updated, 1):.0%} of them in place"


def _full() -> float:
    return seconds(_rescore)


def _rescore() -> None:
    """Run the scoring, batch by batch, an hour after the last; consequences are not timed."""
    run = open_run(at=START + timedelta(hours=next(_hours)), by=system(Workspace.objects.get(slug="scores").pk))
    end, last = -1, 0
    while end != last:
        end = last
        with transaction.atomic():
            last = end_of_batch(end)
            score_batch(run, end, last)


def _aggregate(workspace: Workspace) -> None:
    with connection.cursor() as cursor:
        cursor.execute(AGGREGATE, [START, workspace.pk])
        cursor.fetchone()


def _touched(size: int) -> float:
    """Time scoring after one new event for some leads, without storing the events."""
    at, step = START + timedelta(hours=next(_hours)), int(1 / TOUCHED)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM contacts_engagementevent")
        last = cursor.fetchone()[0]
        cursor.execute(TOUCH, [at - timedelta(minutes=1), step])
        return seconds(lambda: add(EngagementEvent.objects.filter(pk__gt=last), at))


def _fill(workspace: int, size: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # skips the links' checks, which hold
        cursor.execute(CONTACTS, [workspace, size])
        cursor.execute(LEADS, [workspace])
        cursor.execute(EVENT_ROWS, [workspace, START, EVENTS])
    with connection.cursor() as cursor:
        for table in ("contacts_contact", "leads_lead", "contacts_engagementevent"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    by = system(workspace)
    finish_scoring_run(open_run(at=START, by=by), by=by)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE leads_score")
        cursor.execute("CHECKPOINT")  # otherwise the measurement would first write the pages of all these rows


CONTACTS = """
    INSERT INTO contacts_contact (workspace_id, public_id, external_id, name, name_key, first_name, last_name, email,
        email_key, phone, mobile, avatar, title, department, role, lifecycle_stage, lifecycle_stage_since, status,
        status_since, source, preferred_channel, timezone, language, linkedin_url, twitter_handle, marketing_consent,
        notes, last_activity, custom, search_text, version, created_at, updated_at)
    SELECT %s, 'c_s_' || n, '', 'Person ' || n, 'person ' || n, '', '', '', '', '', '', '', '', '', '', 'lead', now(),
        'active', now(), '', '', '', '', '', '', '', '', now(), '{}', '', 1, now(), now()
    FROM generate_series(1, %s) n
"""
LEADS = """
    INSERT INTO leads_lead (workspace_id, contact_id, public_id, external_id, status, status_since, stage, stage_since,
        source, campaign, fleet_size, country, description, currency, floor_stage, floor_reason, lost_reason, custom,
        search_text, version, created_at, updated_at)
    SELECT workspace_id, id, 'l_s_' || id, '', 'new', now(), 'top_of_funnel', now(), '', '', id * 7919 %% 400,
        (ARRAY['DE', 'ES', 'BR', ''])[1 + id %% 4], '', 'EUR', '', '', '', '{}', '', 1, now(), now()
    FROM contacts_contact WHERE workspace_id = %s
"""
EVENT_ROWS = """
    INSERT INTO contacts_engagementevent (workspace_id, contact_id, kind, occurred_at, recorded_at, change)
    SELECT %s, contact_id,
        (ARRAY['demo_request', 'email_reply', 'page_viewed', 'email_opened', 'form_submitted', 'pricing_viewed'])
        [1 + (contact_id + n) %% 6], %s::timestamptz - ((contact_id * 131 + n * 7919) %% 7776000) * interval '1 second',
        now(), gen_random_uuid()
    FROM leads_lead, generate_series(1, %s) n WHERE public_id LIKE 'l_s_%%'
    ON CONFLICT DO NOTHING
"""
TOUCH = """
    INSERT INTO contacts_engagementevent (workspace_id, contact_id, kind, occurred_at, recorded_at, change)
    SELECT workspace_id, contact_id, 'page_viewed', %s, now(), gen_random_uuid()
    FROM leads_lead WHERE public_id LIKE 'l_s_%%' AND id %% %s = 0
"""
AGGREGATE = """
    SELECT count(*) FROM (
        SELECT contact_id, sum(CASE kind WHEN 'demo_request' THEN 40 WHEN 'email_reply' THEN 20 WHEN 'page_viewed' THEN 2
        WHEN 'email_opened' THEN 1 ELSE 15 END * power(2::float8, date_part('epoch', occurred_at - %s) / 2592000))
        FROM contacts_engagementevent WHERE workspace_id = %s GROUP BY contact_id) sums
"""  # noqa: E501
