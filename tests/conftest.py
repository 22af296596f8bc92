"""The members of acme and globex used by all tests, with different visibility."""

import gc
import sys
from threading import Thread
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.test import Client

from crm.entities import schema
from crm.kit import background, statistics
from crm.kit.actor import Channel, Role
from crm.kit.scope import in_workspace
from crm.lifecycle import guards
from crm.opportunities import pipelines
from crm.users.models import Membership, Team, User, Workspace
from crm.workflows import active_workflows
from leads.assignment import rules
from leads.assignment.models import Duty
from leads.scoring import current
from tests.installed import legacy_leads
from tests.shared import share
from tests.template import django_db_modify_db_settings

__all__ = ["django_db_modify_db_settings"]

PASSWORD = "throughline-demo"


def pytest_collection_modifyitems(items) -> None:
    """Reject a test marked both as PostgreSQL only and SQLite only."""
    nowhere = [i.nodeid for i in items if i.get_closest_marker("once") and i.get_closest_marker("postgres")]
    if nowhere:
        raise pytest.UsageError(f"Marked both once and postgres: {', '.join(nowhere)}")


def pytest_collection_finish() -> None:
    """Run the garbage collector less, and never on permanent objects: it took a tenth of the run."""
    gc.set_threshold(100_000, 50, 100)
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def quick_and_fresh(settings):
    """Use fast password hashing, and isolate rate limits, guards and custom fields between tests.

    Caches of guards and fields are keyed by workspace and schema version, both reused after a rollback.
    """
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for cache in caches.all():
        cache.clear()
    guards._rules.cache_clear()
    pipelines._process.cache_clear()
    rules._rules.cache_clear()
    schema._schemas.clear()
    current._current.cache_clear()
    active_workflows._active.cache_clear()
    active_workflows._by_event.cache_clear()
    yield
    if legacy_leads:
        legacy_leads.forget_reads()


@pytest.fixture(autouse=True, scope="session")
def background_is_a_thread():
    """Run background work in a thread, which sees the test's database, unlike a process."""

    def start(*work) -> None:
        Thread(target=background.carry_out, args=work, daemon=True).start()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "_start", start)
        yield


@pytest.fixture(autouse=True, scope="session")
def planner_is_told_by_those_who_test_it():
    """Disable analyzing by verbs: it would make tests' statement counts depend on earlier tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "LEAST", dict.fromkeys(statistics.LEAST, sys.maxsize))
        yield


def make_member(workspace, name, role, team=None) -> Membership:
    """Create a member with an account name@<workspace>.example and this open workspace.

    Not in the assignment pool: records are unassigned unless a test sets an owner.
    """
    user = User.objects.create_user(f"{name}@{workspace.slug}.example", PASSWORD, name=name.title())
    with in_workspace(workspace):
        member = Membership.objects.create(user=user, role=role, team=team)
        Duty.objects.create(member=member, in_pool=False)
    User.objects.filter(pk=user.pk).update(membership=member)
    return member


@share
def shared_cast() -> SimpleNamespace:
    acme = Workspace.objects.create(slug="acme", name="Acme Mobility")
    globex = Workspace.objects.create(slug="globex", name="Globex")
    with in_workspace(acme):
        current.install_shipped()
        pipelines.install_shipped()
        iberia, nordics = Team.objects.create(name="Iberia"), Team.objects.create(name="Nordics")
    with in_workspace(globex):
        current.install_shipped()
        pipelines.install_shipped()
    return SimpleNamespace(
        acme=acme,
        globex=globex,
        iberia=iberia,
        nordics=nordics,
        viewer=make_member(acme, "viewer", Role.VIEWER),
        rep=make_member(acme, "rep", Role.REP, iberia),
        mate=make_member(acme, "mate", Role.REP, iberia),
        outsider=make_member(acme, "outsider", Role.REP, nordics),
        manager=make_member(acme, "manager", Role.MANAGER),
        admin=make_member(acme, "admin", Role.ADMIN),
        globex_rep=make_member(globex, "rep", Role.REP),
        globex_admin=make_member(globex, "admin", Role.ADMIN),
    )


@pytest.fixture
def cast(shared_cast):
    """viewer, rep, mate (rep's team), outsider (another team), manager and admin of acme; globex_rep, globex_admin."""
    return shared_cast


@pytest.fixture
def acme(cast):
    """The workspace acme, in scope."""
    with in_workspace(cast.acme):
        yield cast.acme


@pytest.fixture
def sign_in(cast):
    """`sign_in("rep")` returns a client signed in as that member."""

    def signed_in(who: str) -> Client:
        client = Client()
        client.force_login(getattr(cast, who).user)
        return client

    return signed_in


@pytest.fixture
def actor(cast):
    """`actor("rep")` returns that member as an actor on the web."""
    return lambda who: getattr(cast, who).actor(Channel.WEB)
