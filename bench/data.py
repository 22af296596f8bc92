"""Contacts and opportunities by the hundred thousand: workspaces that differ only in size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle

from django.db import connection
from django.utils import timezone

from contacts.models import Contact
from crm.kit.actor import Role, system
from crm.kit.scope import in_workspace
from crm.lists.verbs.save_view import save_view
from crm.opportunities import pipelines
from crm.opportunities.models import Opportunity, PipelineStage, StageKind
from crm.users.models import Membership, Team, User, Workspace
from crm.users.verbs.create_workspace import create_workspace

# One row in 200 belongs to the rep's team: the view of a rep among two hundred.
SHARE = 200


@dataclass(frozen=True)
class Place:
    """A workspace with its members."""

    workspace: Workspace
    manager: Membership
    rep: Membership


def place(slug: str, contacts: int) -> Place:
    """Return a workspace of that many contacts, created on the first call."""
    found = Workspace.objects.filter(slug=slug).first()
    workspace = found or create_workspace(slug, by=system(0))[0]
    with in_workspace(workspace):
        return _made(workspace, contacts) if found is None else _place(workspace)


def _place(workspace: Workspace) -> Place:
    people = {member.role: member for member in Membership.objects.select_related("user")}
    return Place(workspace, people[Role.MANAGER], people[Role.REP])


def _made(workspace: Workspace, contacts: int) -> Place:
    ours, others = Team.objects.create(name="Ours"), Team.objects.create(name="Others")
    manager = _member(workspace, "manager", Role.MANAGER, None)
    rep = _member(workspace, "rep", Role.REP, ours)
    _fill(workspace.pk, contacts, rep.pk, manager.pk, ours.pk, others.pk)
    actor = manager.actor("web")
    condition = "stage in (Lead, Qualified) and last_activity <= 300 days ago"
    save_view("contact", "Recent leads", by=actor, condition=condition, shared=True)
    return Place(workspace, manager, rep)


def _member(workspace: Workspace, name: str, role: Role, team: Team | None) -> Membership:
    user = User.objects.create_user(f"{name}@{workspace.slug}.example", name=name.title())
    member = Membership.objects.create(user=user, role=role, team=team)
    User.objects.filter(pk=user.pk).update(membership=member)
    return member


def _fill(workspace: int, contacts: int, rep: int, manager: int, ours: int, others: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COMPANIES, [workspace, workspace, max(contacts // 20, 1)])
        cursor.execute("SELECT min(id), count(*) FROM contacts_company WHERE workspace_id = %s", [workspace])
        first, companies = cursor.fetchone()
        values = [workspace, SHARE, rep, manager, SHARE, ours, others, first, companies, workspace, contacts]
        cursor.execute(CONTACTS, values)
        for table in ("contacts_company", "contacts_contact", "contacts_contactaddress"):
            cursor.execute(f"VACUUM ANALYZE {table}")


def deals(stages: Sequence[PipelineStage] = ()) -> None:
    """Create an opportunity for each contact of the workspace in scope, at `stages` in turn: by default, of Sales."""
    people = Contact.objects.order_by("pk").values_list("pk", "owner", "team", "company")
    Opportunity.objects.bulk_create(_deals(people.iterator(), stages or pipelines.stages()), batch_size=5_000)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE opportunities_opportunity")


def _deals(people: Iterator[tuple], stages: Sequence[PipelineStage]) -> Iterator[Opportunity]:
    now = timezone.now()
    for (contact, owner, team, company), stage in zip(people, cycle(stages), strict=False):
        since = now - timedelta(days=contact % 90)
        deal = Opportunity(contact_id=contact, owner_id=owner, team_id=team, company_id=company, currency="EUR")
        deal.name, deal.amount, deal.source = f"Deal {contact}", contact % 1000 * 100, "web"
        deal.close_date = (now + timedelta(days=contact * 7919 % 400 - 100)).date()
        deal.pipeline, deal.stage, deal.stage_kind = stage.pipeline, stage.key, stage.kind
        deal.probability = stage.probability
        deal.won_at = since if stage.kind == StageKind.WON else None
        deal.lost_at = since if stage.kind == StageKind.LOST else None
        deal.stage_since = deal.created_at = deal.updated_at = since
        deal.derive()
        yield deal


COMPANIES = """
    INSERT INTO contacts_company (public_id, workspace_id, external_id, name, name_key, domain, website, industry,
        phone, street, city, country, description, custom, search_text, version, created_at, updated_at)
    SELECT 'org_' || %s || '_' || n, %s, '', 'Company ' || n, 'company ' || n, '', '', 'taxi', '',
        '', 'Madrid', 'ES', '', '{}', 'company ' || n, 1, now(), now()
    FROM generate_series(1, %s) n
"""
CONTACTS = """
    INSERT INTO contacts_contact (workspace_id, owner_id, team_id, company_id, public_id, external_id, name, name_key,
        first_name, last_name, email, email_key, phone, mobile, avatar, title, department, role, lifecycle_stage,
        lifecycle_stage_since, status, status_since, source, preferred_channel, timezone, language, linkedin_url,
        twitter_handle, marketing_consent, notes, last_activity, custom, search_text, version, created_at, updated_at,
        address_rows)
    SELECT %s, CASE WHEN n %% %s = 0 THEN %s ELSE %s END, CASE WHEN n %% %s = 0 THEN %s ELSE %s END,
        %s + n %% %s, 'c_' || %s || '_' || n, '', 'Person ' || n, 'person ' || n, 'Person', n::text,
        'p' || n || '@example.com', 'p' || n || '@example.com', '+34 600 ' || n, '', '', 'Buyer', '', 'user',
        (ARRAY['lead', 'lead', 'qualified', 'customer', 'lost', 'churned'])[1 + n %% 6],
        now() - n %% 400 * interval '1 day', 'active', now(), 'web', '', '', '', '', '', '', '',
        now() - (n * 7919::bigint %% 31536000) * interval '1 second',
        '{}', 'person ' || n || ' p' || n || '@example.com', 1, now(), now(),
        jsonb_build_array(
            jsonb_build_array('email', 0, 'p' || n || '@example.com', 'p' || n || '@example.com', ''),
            jsonb_build_array('phone', 0, '+34600' || n, '+34 600 ' || n, ''))
    FROM generate_series(1, %s) n
"""
