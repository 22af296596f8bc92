"""manage.py load_demo"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from contacts.demo import History
from crm.anomalies.detect import detect
from crm.anomalies.kinds import ANOMALY_KINDS
from crm.campaigns.demo import win_back
from crm.entities.models import CustomField
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit.actor import Actor, Channel, Role, system
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext as _
from crm.lifecycle.models import Guard
from crm.lifecycle.verbs.save_guard import save_guard
from crm.lists.verbs.save_view import save_view
from crm.opportunities.demo import Pipeline
from crm.users.models import Membership, Team, User, Workspace
from crm.users.verbs.add_member import add_member
from crm.users.verbs.create_team import create_team
from crm.users.verbs.create_workspace import create_workspace
from crm.workflows.models import Workflow
from crm.workflows.shipped import SHIPPED
from crm.workflows.verbs.save_workflow import save_workflow
from crm.workflows.verbs.switch_workflow import switch_workflow
from leads.demo import Interest

PASSWORD = "throughline-demo"  # noqa: S105 (printed at the start; refused where DEBUG is off)
ACME = {
    "viewer": ("Vera Nowak", Role.VIEWER, None),  # not a text
    "rep": ("Mara Lindt", Role.REP, "Iberia"),  # not a text
    "mate": ("Idris Cole", Role.REP, "Iberia"),  # not a text
    "outsider": ("Oskar Dahl", Role.REP, "Nordics"),  # not a text
    "manager": ("Mina Haas", Role.MANAGER, None),  # not a text
    "admin": ("Ada Ferrer", Role.ADMIN, None),  # not a text
}
OPEN = "stage_kind = open"  # not a text
VIEWS = (
    ("contact", "Decision makers", "role = Decision maker and stage in (Lead, Qualified)"),  # not a text
    ("contact", "Large fleets", "stage in (Lead, Qualified) and lead.fleet_size >= 100"),  # not a text
    (
        "opportunity",
        "Closing this month",  # not a text
        f"{OPEN} and close_date < 30 days from now",  # not a text
    ),
)
GLOBEX = {"rep": ("Gil Moreau", Role.REP, None), "admin": ("Gina Rossi", Role.ADMIN, None)}  # not a text


class Command(BaseCommand):
    help = (
        "Load the demo: the workspaces acme and globex, their members and a year of history. Does nothing if acme "
        "exists. Refused when DEBUG is off, unless --in-production accepts the public passwords."  # not a text
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--in-production",
            action="store_true",
            help=_("load it even though DEBUG is off"),
        )
        parser.add_argument("--json", action="store_true", help=_("print one JSON object"))

    def handle(self, *args, **options):
        if not settings.DEBUG and not options["in_production"]:
            raise CommandError(
                _("The demo’s passwords are public. It can’t be loaded while DEBUG is off."), returncode=1
            )
        made = not Workspace.objects.filter(slug="acme").exists()
        if made:
            load()
        report = {"created": made, "workspaces": ["acme", "globex"]}
        sentence = _("Demo data loaded.") if made else _("Demo data already exists. No changes made.")
        self.stdout.write(json.dumps(report) if options["json"] else sentence)


@transaction.atomic
def load(people: int = 2000, companies: int = 300) -> None:
    """Create both workspaces and their history; all or nothing."""
    acme, members = _open("acme", "Acme Mobility", "Europe/Madrid", "ES", ACME)  # not a text
    with in_workspace(acme):
        _settings(members["admin"])
        with _before_the_score_counted(members["admin"]):
            History(members, people=people, companies=companies, seed=1).write()
            Pipeline(members["manager"], count=people // 8, seed=3).write()
            Interest(members["manager"], seed=4).write()
            win_back(members["manager"])
        _switch_on(members["admin"], ("inbound", "escalation"))
        _find_anomalies()
    globex, members = _open("globex", "Globex", "Europe/Berlin", "DE", GLOBEX)
    with in_workspace(globex), _before_the_score_counted(members["admin"]):
        History(members, people=people // 50, companies=companies // 30, seed=2).write()
        Interest(members["admin"], seed=5).write()
        _find_anomalies()


def _switch_on(admin: Membership, names: Iterable[str]) -> None:
    """Turn on some workflow templates after the demo year."""
    for shipped in filter(None, map(SHIPPED.get, names)):
        made = save_workflow(
            Workflow(),
            name=shipped.title,
            owner=admin.pk,
            trigger=shipped.trigger,
            condition=shipped.condition,
            steps=shipped.steps,
            by=admin.actor(Channel.COMMAND),
        )
        switch_workflow(made, True, by=admin.actor(Channel.COMMAND))


def _find_anomalies() -> None:
    """Detect exceptions now: the job may not run yet."""
    for kind in ANOMALY_KINDS.values():
        detect(kind)


@contextmanager
def _before_the_score_counted(admin: Membership) -> Iterator[None]:
    """Disable the score guard during the demo year; today the admin turns it on, as the log shows."""
    guards = list(Guard.objects.filter(verb="qualify", condition__contains="lead_score"))
    for is_active in (False, True):
        for guard in guards:
            guard.is_active = is_active
            save_guard(guard, by=admin.actor(Channel.COMMAND))
        if not is_active:
            yield


def _open(slug: str, name: str, timezone: str, country: str, people: dict) -> tuple[Workspace, dict[str, Membership]]:
    workspace, by = create_workspace(slug, name=name, timezone=timezone, country=country, by=system(0, Channel.COMMAND))
    with in_workspace(workspace):
        teams = {team: create_team(team, by=by) for team in {team for _, _, team in people.values()} if team}
        members = {who: _member(who, slug, facts, teams, by) for who, facts in people.items()}
    return workspace, members


def _member(who: str, slug: str, facts: tuple[str, Role, str | None], teams: dict[str, Team], by: Actor) -> Membership:
    name, role, team = facts
    user = User.objects.create_user(f"{who}@{slug}.example", PASSWORD, name=name)
    return add_member(user, role=role, team=teams.get(team or ""), by=by)


def _settings(admin: Membership) -> None:
    by = admin.actor(Channel.COMMAND)
    trial = [{"value": "signed_up", "label": "Signed up"}, {"value": "active", "label": "Active"}]  # not a text
    trial.append({"value": "paying", "label": "Paying"})
    field = CustomField(entity="contact", key="trial", label="Trial", type="select", choices=trial)  # not a text
    save_custom_field(field, by=by)
    field = CustomField(entity="contact", key="depots", label="Depots", type="number")  # not a text
    save_custom_field(field, by=by)
    for entity, name, condition in VIEWS:
        save_view(entity, name, by=by, condition=condition, shared=True)
