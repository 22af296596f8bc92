"""manage.py create_workspace SLUG --admin EMAIL"""

import json
import os

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction

from crm.kit.actor import Actor, Channel, Role, system
from crm.kit.command import TranslatedCommand
from crm.kit.errors import DomainError, Invalid
from crm.kit.migrated import is_migrated
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.command import REFUSED, UNMIGRATED, WRONG_USAGE
from crm.users.models import Membership, User, Workspace
from crm.users.verbs.add_member import add_member
from crm.users.verbs.change_role import change_role
from crm.users.verbs.create_workspace import create_workspace
from crm.users.verbs.invite import invite


class Command(TranslatedCommand):
    help = _(
        "Create a workspace with EMAIL as its admin. Prints the link where a new admin sets a password. Safe to "
        "re-run: keeps the admin and prints a new link until it is used."
    )

    def add_arguments(self, parser):
        parser.add_argument("slug", help=gettext("short name for URLs: a-z, 0-9 and hyphens"))
        parser.add_argument("--admin", required=True, metavar="EMAIL", help=gettext("email address of the admin"))
        parser.add_argument("--name", default="", help=gettext("displayed name (default: from the slug)"))
        parser.add_argument("--timezone", default="UTC", help=gettext("IANA name, e.g. Europe/Madrid (default: UTC)"))
        parser.add_argument("--currency", default="EUR", help=gettext("three letters (default: EUR)"))
        parser.add_argument("--country", default="", help=gettext("two letters, for phone numbers, e.g. ES"))
        parser.add_argument("--json", action="store_true", help=gettext("print a JSON object"))

    def handle(self, *args, slug, admin, **options):
        if not is_migrated():
            raise CommandError(UNMIGRATED, returncode=REFUSED)
        try:
            report = open_for(slug, admin, **{key: options[key] for key in ("name", "timezone", "currency", "country")})
        except Invalid as error:
            raise CommandError(str(error), returncode=WRONG_USAGE) from None
        except DomainError as error:
            raise CommandError(str(error), returncode=REFUSED) from None
        self.stdout.write(json.dumps(report) if options["json"] else _sentences(report))


@transaction.atomic
def open_for(slug: str, email: str, **fields: str) -> dict:
    """Create the workspace and its admin if missing. Raises DomainError."""
    workspace = Workspace.objects.filter(slug=slug).first()
    created = workspace is None
    by = system(workspace.pk if workspace else 0, Channel.COMMAND)
    if workspace is None:
        workspace, by = create_workspace(slug, **fields, by=by)
    with in_workspace(workspace):
        link = _make_admin(email.strip().lower(), by)
    return {"workspace": slug, "created": created, "admin": email.strip().lower(), "link": link}


def _make_admin(email: str, by: Actor) -> str:
    """Make that person an admin; return the link to set a password, '' for an existing account."""
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
    sentence = gettext("Workspace {workspace} already exists. Its admin is {admin}.")
    if report["created"]:
        sentence = gettext("Workspace {workspace} created. Its admin is {admin}.")
    lines = [sentence.format(workspace=report["workspace"], admin=report["admin"])]
    if report["link"]:
        lines.append(gettext("To set a password, open this link within 7 days: {link}").format(link=report["link"]))
    return "\n".join(lines)
