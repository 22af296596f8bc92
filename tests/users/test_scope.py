"""Missing workspace scope is an error, not a leak (S2)."""

import ast
import inspect
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models, transaction
from django.db.models import F, QuerySet
from django.test import Client

from audit.record import record, record_rows, update_and_record
from contacts.verbs.create import create
from crm.events.models import Event
from crm.kit.actor import Channel, system
from crm.kit.scope import NoWorkspace, WrongWorkspace, in_workspace
from crm.kit.sql import JsonPairs, JsonRows, insert_select
from crm.users.models import Membership, Owned, Team, Workspace
from tests.installed import legacy_leads

ROOT = Path(__file__).resolve().parents[2]
# Allowed unscoped reads, with reasons.
UNSCOPED_CALLERS = {
    "crm/files/storing.py",  # the storage has no workspaces: bytes that no file of any of them names are removed
    "crm/campaigns/links.py",  # unsubscribing has no session: the signed link names the recipient
    # The engine serves all workspaces, and opens an event's before it calls a handler.
    "crm/events/deliveries.py",
    "crm/events/engine.py",
    "crm/events/health.py",
    "crm/events/management/commands/outbox.py",
    "crm/events/models.py",
    "crm/events/prune.py",
    "crm/events/relay.py",
    "crm/users/admin.py",  # retry of deliveries visible to the admin; names in the log
    "crm/users/admin_site.py",  # superusers see every workspace; others are limited on the next line
    "crm/users/views.py",  # an invitation is found by its secret token, before sign-in
    "crm/workflows/views/hooks.py",  # workflows are called by public id, with a signature instead of a session
    *(legacy_leads.UNSCOPED if legacy_leads else ()),
    "audit/sealing.py",  # one run seals all workspaces' entries, each in its own scope
    "crm/users/jobs.py",  # old one-time keys of all users
    "crm/users/workspaces.py",  # a user's workspaces
    "crm/users/oidc/issuers.py",  # an issuer is found by its id, before sign-in
    "crm/users/oidc/entering.py",  # a person's invitations and memberships, before sign-in
}

ARGUMENTS = {
    "aggregate": [models.Count("pk")],
    "bulk_create": [[]],
    "bulk_update": [[], ["name"]],
    "create": [],
    "dates": ["created_at", "day"],
    "datetimes": ["created_at", "day"],
    "difference": [[]],
    "raw": ["SELECT 1"],
    "contains": [Team()],
    "in_bulk": [],
    "get_or_create": [],
    "update_or_create": [],
}
NOT_A_QUERY = {"as_manager", "unscoped", "resolve_expression", "using", "none"}


def public_methods():
    """Return the query and write methods of `objects`, without async variants, which end in the same ones."""
    names = [n for n, _ in inspect.getmembers(Team.objects, inspect.ismethod) if hasattr(QuerySet, n)]
    return [n for n in names if not n.startswith("_") and n not in NOT_A_QUERY and not hasattr(QuerySet, n[1:])]


@pytest.mark.parametrize("name", public_methods())
def test_no_method_of_objects_runs_without_a_workspace(name, db):
    with pytest.raises(NoWorkspace):
        getattr(Team.objects, name)(*ARGUMENTS.get(name, []))


def test_every_model_of_a_workspace_is_behind_the_door():
    owned = [m for m in apps.get_models() if issubclass(m, Owned)]
    assert {Team, Membership} <= set(owned)
    for model in owned:
        assert model._meta.base_manager_name == "objects", model
        with pytest.raises(NoWorkspace):
            model._base_manager.all()


def test_saving_needs_a_workspace(cast):
    for write in (Team(name="South").save, cast.iberia.save, cast.iberia.refresh_from_db, cast.iberia.delete):
        with pytest.raises(NoWorkspace):
            write()


def test_a_row_of_another_workspace_cannot_be_written(cast):
    with in_workspace(cast.globex):
        for write in (
            lambda: Team.objects.create(workspace=cast.acme, name="South"),
            lambda: Team(workspace=cast.acme, name="South").save(),
            lambda: Team.objects.bulk_create([Team(workspace=cast.acme, name="South")]),
            lambda: Team.objects.get_or_create(workspace=cast.acme, name="South"),
            cast.iberia.save,
            lambda: Team.objects.update(workspace=cast.acme),
        ):
            with pytest.raises(WrongWorkspace), transaction.atomic():
                write()
        assert not Team.objects.filter(pk=cast.iberia.pk).update(name="Stolen")
        assert not Team.objects.filter(pk=cast.iberia.pk).delete()[0]
        assert not Team.objects.bulk_update([Team(pk=cast.iberia.pk, name="Stolen")], ["name"])
    with in_workspace(cast.acme):
        assert Team.objects.get(pk=cast.iberia.pk).name == "Iberia"


def test_a_new_row_takes_the_workspace_in_scope(cast):
    with in_workspace(cast.globex):
        assert Team.objects.create(name="South").workspace == cast.globex


def test_writing_past_the_queryset_is_held_to_the_scope_too(cast):
    by = system(cast.acme.pk)
    with in_workspace(cast.globex):
        for write in (
            lambda: insert_select(Event, Team.objects.all(), {"workspace_id": cast.acme.pk, "name": "x"}),
            lambda: insert_select(Event, Team.objects.all(), {"name": "x"}),
            lambda: record("workspace.updated", Workspace.objects.all(), by=by),
            lambda: record_rows("team.renamed", [(1, None, {}, {})], by=by),
            lambda: update_and_record("team.renamed", Team.objects.all(), {"name": "Stolen"}, by=by),
        ):
            with pytest.raises(WrongWorkspace), transaction.atomic():
                Team.objects.create(name="Theirs")
                write()
    with pytest.raises(NoWorkspace), transaction.atomic():
        insert_select(Event, Workspace.objects.all(), {"workspace_id": cast.acme.pk, "name": "x"})


def test_rows_fetched_as_json_are_those_of_the_scope(cast):
    with in_workspace(cast.acme):
        names = Team.objects.values(fact=JsonPairs(name=(Team._meta.get_field("name"), F("name"))))
        wanted = Workspace.objects.filter(pk=cast.globex.pk).values_list(JsonRows(names), flat=True)
        assert sorted(row["name"] for row in wanted.get()) == ["Iberia", "Nordics"]
    with pytest.raises(NoWorkspace):
        JsonRows(Team.objects.values(fact=F("name")))


def test_what_is_compiled_once_is_bound_to_whoever_asks(cast, actor):
    """One prepared query, used in turn by members of two teams and two workspaces."""
    for team, member in ((cast.iberia, cast.rep), (cast.nordics, cast.outsider)):
        with in_workspace(cast.acme):
            create([{"name": f"{team} only", "team": team}], by=member.actor(Channel.WEB))
    with in_workspace(cast.globex):
        create([{"name": "Globex only"}], by=cast.globex_rep.actor(Channel.WEB))
    seen = {"rep": "Iberia only", "outsider": "Nordics only", "globex_rep": "Globex only", "mate": "Iberia only"}
    for _ in range(2):
        for who, name in seen.items():
            client = Client()
            client.force_login(getattr(cast, who).user)
            page = client.get("/contact?view=all").content.decode()
            assert [other for other in set(seen.values()) if other in page] == [name]


def calls_of(name: str) -> set[str]:
    found = set()
    for path in [p for top in ("crm", "contacts", "leads", "audit") for p in (ROOT / top).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == name:
                found.add(str(path.relative_to(ROOT)))
    return found


def test_only_the_known_callers_read_past_the_scope():
    assert calls_of("unscoped") == UNSCOPED_CALLERS
