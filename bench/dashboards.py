"""Cost of dashboard cards: each against one GROUP BY over its rows, as a manager and as a rep."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import connection, transaction
from django.http import QueryDict

from bench.data import SHARE
from bench.measure import Ratio, compare
from crm.dashboards.layout import allowed
from crm.dashboards.period import today
from crm.dashboards.query import DashboardQuery, read_query
from crm.dashboards.show import content
from crm.kit.actor import Actor, Role, system
from crm.kit.scope import in_workspace
from crm.users.models import Membership, Team, User, Workspace
from crm.users.verbs.create_workspace import create_workspace
from leads.scoring.current import current

DAYS, MOVES, ROUNDS = 90, 5, 5


def ratios(size: int) -> Iterator[Ratio]:
    """Yield ratio 11: `size` contacts, each with a lead, a tenth with an opportunity, and five moves each."""
    workspace = create_workspace("dashboards", by=system(0))[0]
    with in_workspace(workspace):
        people = _fill(workspace, size)
        for by in people:
            asked = read_query(QueryDict(f"from={today() - timedelta(days=DAYS - 1)}"), by)
            for part in allowed(by):
                name = f"{part.title}, {size:,} leads, {by.role} / one GROUP BY"
                base = _plain(asked, part.name)
                yield Ratio("11", name, 5.0, compare(_part(part, asked), base), rounds=ROUNDS)


def _part(part, asked: DashboardQuery) -> Callable[[], object]:
    return lambda: content(part, asked)


def _plain(asked: DashboardQuery, part: str) -> Callable[[], None]:
    """Return a GROUP BY over the rows that the card reads, with their joined rows."""
    sql = BASES.get(part, LEADS)
    whose = "" if asked.by.is_at_least(Role.MANAGER) else MINE
    params = [asked.by.workspace_id, *([asked.by.member_id, asked.by.team_id] if whose else [])]
    statement = sql.format(whose=whose)

    def group() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, params * statement.count("workspace_id = %s"))
            cursor.fetchall()

    return group


MINE = "AND (r.team_id IS NULL OR r.owner_id = %s OR r.team_id = %s)"


def _grouped(key: str, table: str, joined: str = "") -> str:
    return f"""SELECT {key}, count(*) FROM {table} r {joined}
        WHERE r.workspace_id = %s AND r.deleted_at IS NULL {{whose}} GROUP BY {key}"""


CONTACT = "JOIN contacts_contact c ON c.id = r.contact_id"
SCORED = "LEFT JOIN leads_score s ON s.lead_id = r.id"
CONVERTED = "LEFT JOIN opportunities_opportunity o ON o.id = r.opportunity_id"
LEADS, DEALS = _grouped("r.status", "leads_lead"), _grouped("r.stage", "opportunities_opportunity")
PEOPLE = _grouped("r.lifecycle_stage", "contacts_contact")
MOVED = f"""SELECT t.from_value, count(*) FROM lifecycle_transition t JOIN contacts_contact r ON r.id = t.record_id
    WHERE t.workspace_id = %s AND t.entity = 'contact' AND t.axis = 'lifecycle_stage' AND r.deleted_at IS NULL
    AND t.at >= now() - interval '{DAYS} days' {{whose}} GROUP BY t.from_value"""
BASES = {
    "funnel": _grouped("r.status, o.stage", "leads_lead", CONVERTED),
    "stuck": " UNION ALL ".join(
        (
            PEOPLE,
            _grouped("r.status", "leads_lead", f"{CONTACT} {SCORED}"),
            _grouped("r.stage", "opportunities_opportunity", CONTACT),
        )
    ),
    "composition": PEOPLE,
    "over_time": f"{PEOPLE} UNION ALL {MOVED}",
    "losses": f"{LEADS} UNION ALL {DEALS}",
    "pipeline": DEALS,
    "results": DEALS,
    "forecast": DEALS,
    "team": f"{LEADS} UNION ALL {DEALS}",
    "scores": _grouped("r.status, o.stage", "leads_lead", f"{SCORED} {CONVERTED}"),
}


def _fill(workspace: Workspace, size: int) -> list[Actor]:
    ours, others = Team.objects.create(name="Ours"), Team.objects.create(name="Others")
    manager, rep = _member(workspace, "manager", Role.MANAGER, None), _member(workspace, "rep", Role.REP, ours)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # skips the links' checks, which hold
        theirs = {"workspace": workspace.pk, "size": size, "share": SHARE, "rep": rep.pk, "manager": manager.pk}
        theirs |= {"ours": ours.pk, "others": others.pk, "moves": MOVES}
        theirs["model"] = current().pk
        for statement in (CONTACTS, OPPORTUNITIES, LEAD_ROWS, SCORES, TRANSITIONS):
            cursor.execute(statement, theirs)
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")
    return [member.actor("web") for member in (manager, rep)]


def _member(workspace: Workspace, name: str, role: Role, team: Team | None) -> Membership:
    user = User.objects.create_user(f"{name}@{workspace.slug}.example", name=name.title())
    return Membership.objects.create(user=user, role=role, team=team)


TABLES = ("contacts_contact", "leads_lead", "leads_score", "opportunities_opportunity", "lifecycle_transition")
OWNED = """CASE WHEN n %% %(share)s = 0 THEN %(rep)s ELSE %(manager)s END,
        CASE WHEN n %% %(share)s = 0 THEN %(ours)s ELSE %(others)s END"""
CONTACTS = f"""
    INSERT INTO contacts_contact (workspace_id, owner_id, team_id, public_id, external_id, name, name_key, first_name,
        last_name, email, email_key, phone, mobile, avatar, title, department, role, lifecycle_stage,
        lifecycle_stage_since, status, status_since, source, preferred_channel, timezone, language, linkedin_url,
        twitter_handle, marketing_consent, notes, last_activity, custom, search_text, version, created_at, updated_at)
    SELECT %(workspace)s, {OWNED}, 'c_d_' || n, '', 'Person ' || n, 'person ' || n, '', '', '', '', '', '', '', '', '',
        '', (ARRAY['lead', 'lead', 'qualified', 'customer', 'lost', 'churned'])[1 + n %% 6],
        now() - n %% 300 * interval '1 day', 'active', now(), (ARRAY['web', 'fair', 'mail', ''])[1 + n %% 4], '', '',
        '', '', '', '', '', now() - n %% 200 * interval '1 day', '{{}}', '', 1, now(), now()
    FROM generate_series(1, %(size)s) n
"""
OPPORTUNITIES = f"""
    INSERT INTO opportunities_opportunity (workspace_id, owner_id, team_id, contact_id, public_id, external_id, name,
        name_key, stage, stage_kind, stage_since, amount, currency, probability, close_date, next_step, source,
        lost_reason, won_at, lost_at, custom, search_text, version, created_at, updated_at)
    SELECT %(workspace)s, {OWNED}, id, 'o_d_' || id, '', 'Deal', 'deal',
        (ARRAY['prospecting', 'proposal', 'won', 'lost'])[1 + n / 10 %% 4],
        (ARRAY['open', 'open', 'won', 'lost'])[1 + n / 10 %% 4], now() - n %% 60 * interval '1 day', n %% 9000,
        'EUR', 0.5, current_date + (n %% 200 - 60)::int, CASE n %% 3 WHEN 0 THEN '' ELSE 'Call' END, 'web',
        CASE n / 10 %% 4 WHEN 3 THEN 'Price' ELSE '' END,
        CASE n / 10 %% 4 WHEN 2 THEN now() - n %% 150 * interval '1 day' END,
        CASE n / 10 %% 4 WHEN 3 THEN now() - n %% 150 * interval '1 day' END, '{{}}', '', 1, now(), now()
    FROM (SELECT id, substr(public_id, 5)::bigint n FROM contacts_contact WHERE workspace_id = %(workspace)s) c
    WHERE n %% 10 = 0
"""
LEAD_ROWS = f"""
    INSERT INTO leads_lead (workspace_id, owner_id, team_id, contact_id, public_id, external_id, status, status_since,
        stage, stage_since, source, campaign, country, description, currency, floor_stage, floor_reason, lost_reason,
        contact_by, contacted_at, qualified_date, converted_date, lost_date, opportunity_id, custom, search_text,
        version, created_at, updated_at)
    SELECT %(workspace)s, {OWNED}, c.id, 'l_d_' || c.id, '', status, now() - n %% 300 * interval '1 day',
        CASE status WHEN 'converted' THEN 'opportunity' ELSE 'top_of_funnel' END, now(),
        (ARRAY['web', 'fair', 'mail', ''])[1 + n %% 4], '', (ARRAY['DE', 'ES', 'BR', ''])[1 + n %% 4], '', 'EUR', '',
        '', CASE status WHEN 'lost' THEN (ARRAY['Price', 'Timing', ''])[1 + n %% 3] ELSE '' END,
        created + interval '1 day', CASE WHEN n %% 3 > 0 THEN created + n %% 40 * interval '1 hour' END,
        CASE WHEN status IN ('qualified', 'converted') THEN created + interval '9 days' END,
        CASE status WHEN 'converted' THEN created + interval '20 days' END,
        CASE status WHEN 'lost' THEN created + interval '30 days' END,
        CASE status WHEN 'converted' THEN o.id END, '{{}}', '', 1, created, now()
    FROM (SELECT id, n, now() - n %% 400 * interval '1 day' created,
            CASE WHEN n %% 10 = 0 THEN 'converted'
                ELSE (ARRAY['new', 'working', 'qualified', 'lost'])[1 + n %% 4] END status
          FROM (SELECT id, substr(public_id, 5)::bigint n FROM contacts_contact WHERE workspace_id = %(workspace)s) x) c
    LEFT JOIN opportunities_opportunity o ON o.contact_id = c.id
"""
SCORES = """
    INSERT INTO leads_score (workspace_id, lead_id, model_id, engagement_sum, fit, engagement, score_tenths, scored_at,
        partial)
    SELECT workspace_id, id, %(model)s, 0, id %% 61, id * 7 %% 101, id * 13 %% 1001, now(), false
    FROM leads_lead WHERE workspace_id = %(workspace)s
"""
TRANSITIONS = """
    INSERT INTO lifecycle_transition (workspace_id, entity, axis, record_id, from_value, to_value, verb, reason, at,
        recorded_at, spent, channel, change)
    SELECT %(workspace)s, CASE WHEN m < 3 THEN 'contact' ELSE 'lead' END,
        CASE WHEN m < 3 THEN 'lifecycle_stage' ELSE 'status' END, id,
        (ARRAY['', 'lead', 'qualified', '', 'new'])[m + 1],
        (ARRAY['lead', 'qualified', 'customer', 'new', 'working'])[m + 1],
        'move', '', now() - ((n * 31 + m * 7) %% 400) * interval '1 day', now(), n %% 50 * interval '1 day', 'web',
        gen_random_uuid()
    FROM (SELECT id, substr(public_id, 5)::bigint n FROM contacts_contact WHERE workspace_id = %(workspace)s) c,
        generate_series(0, %(moves)s - 1) m
"""
