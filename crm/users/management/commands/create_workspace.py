"""manage.py create_workspace SLUG --admin EMAIL"""

import json
import os

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from crm.kit.actor import Actor, Channel, Role, system
from crm.kit.errors import DomainError, Invalid
from crm.kit.scope import in_workspace
from crm.users.models import Membership, User, Workspace
from crm.users.verbs.add_member import add_member
from crm.users.verbs.change_role import change_role
from crm.users.verbs.create_workspace import create_workspace
from crm.users.verbs.invite import invite

REFUSED, WRONG_USAGE = 1, 2  # exit statuses


class Command(BaseCommand):
    help = (
        "Open a workspace and make EMAIL its admin. Prints the link under which a new admin sets a password. "
        "Again with the same names: makes sure of the admin and prints a fresh link while it is needed."
    )

    def add_arguments(self, parser):
        parser.add_argument("slug", help="short name, used in addresses: a-z, 0-9 and hyphens")
        parser.add_argument("--admin", required=True, metavar="EMAIL", help="who runs the workspace")
        parser.add_argument("--name", default="", help="what people see; made from the slug when left out")
        parser.add_argument("--timezone", default="UTC", help="IANA name, like Europe/Madrid (default: UTC)")
        parser.add_argument("--currency", default="EUR", help="three letters (default: EUR)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args, slug, admin, **options):
        try:
            report = open_for(slug, admin, **{key: options[key] for key in ("name", "timezone", "currency")})
        except Invalid as error:
            raise CommandError(str(error), returncode=WRONG_USAGE) from None
        except DomainError as error:
            raise CommandError(str(error), returncode=REFUSED) from None
        self.stdout.write(json.dumps(report) if options["json"] else _sentences(report))


@transaction.atomic
def open_for(slug: str, email: str, **fields: str) -> dict:
    """Make the workspace and its admin where they are missing. Raises DomainError."""
    workspace = Workspace.objects.filter(slug=slug).first()
    created = workspace is None
    by = system(workspace.pk if workspace else 0, Channel.COMMAND)
    if workspace is None:
        workspace, by = create_workspace(slug, **fields, by=by)
    with in_workspace(workspace):
        link = _make_admin(email.strip().lower(), by)
    return {"workspace": slug, "created": created, "admin": email.strip().lower(), "link": link}


def _make_admin(email: str, by: Actor) -> str:
    """Make that person an admin; returns the link to set a password under, '' for who has an account."""
    user = User.objects.filter(email=email).first()
    if user is None:
        return invite(email, role=Role.ADMIN, site=_site(), by=by).link
    member = Membership.objects.active().filter(user=user).first()
    if member is None:
        add_member(user, role=Role.ADMIN, by=by)
    elif member.role != Role.ADMIN:
        change_role(member, Role.ADMIN, by=by)
    return ""


def _site() -> str:
    if settings.DEBUG:
        return f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    named = (host for host in settings.ALLOWED_HOSTS if not host.startswith(("*", ".")))
    return f"https://{next(named, 'localhost')}"


def _sentences(report: dict) -> str:
    made = "Made" if report["created"] else "Found"
    first = f"{made} the workspace {report['workspace']}; {report['admin']} is its admin."
    return f"{first}\nTo set a password, open within 7 days: {report['link']}" if report["link"] else first
