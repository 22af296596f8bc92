"""Base of commands that work in one workspace."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError

from crm.kit.actor import Actor, Channel, system
from crm.kit.command import TranslatedCommand
from crm.kit.errors import DomainError
from crm.kit.migrated import is_migrated
from crm.kit.read_tracking import TableReader, reading_as
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Workspace

UNMIGRATED = _("Database migrations are pending. Run manage.py migrate. No changes were made.")
REFUSED, WRONG_USAGE = 1, 2  # exit statuses; success is 0


def wrong_usage(sentence: str) -> CommandError:
    """Return the error for an invalid command line."""
    return CommandError(sentence, returncode=WRONG_USAGE)


class WorkspaceCommand(TranslatedCommand):
    """A command with --workspace, --user and --json, run in that workspace as the system or that user.

    A subclass has `run(by, **options)`, which returns the exit status; an uncaught DomainError is printed and exits
    with 1. With --json the last line of standard output is one object: see `tell`.
    """

    channel = Channel.COMMAND
    whole_schema = False  # require all migrations, whatever the command needs

    def create_parser(self, prog_name: str, subcommand: str, **kwargs) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        self._called = subcommand
        parser.add_argument("--workspace", required=True, metavar="SLUG", help=gettext("the workspace to work in"))
        parser.add_argument(
            "--user", metavar="EMAIL", help=gettext("run as this user, with their permissions (default: system)")
        )
        parser.add_argument("--json", action="store_true", help=gettext("print a JSON object as the last line"))
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's own arguments."""

    def handle(self, *args, workspace: str, user: str | None, **options) -> None:
        if self.whole_schema and not is_migrated():
            raise CommandError(UNMIGRATED, returncode=REFUSED)
        space = Workspace.objects.filter(slug=workspace).first()
        if space is None:
            raise wrong_usage(gettext("Workspace “{slug}” not found.").format(slug=workspace))
        with in_workspace(space):
            by = self._actor(space, user)
            try:
                with reading_as(lambda: TableReader(by.member_id, f"command {self._called}")):
                    status = self.run(by, **options)
            except DomainError as error:
                raise CommandError(str(error), returncode=REFUSED) from None
        if status:
            raise SystemExit(status)

    def run(self, by: Actor, *args: Any, **options: Any) -> int:
        raise NotImplementedError

    def tell(self, report: dict[str, Any], lists: dict[str, Iterable[Any]] | None = None) -> None:
        """Print the JSON object of --json; `lists`, possibly long, are written item by item."""
        self.stdout.write(json.dumps(report)[:-1], ending="")
        for name, items in (lists or {}).items():
            self.stdout.write(f", {json.dumps(name)}: [", ending="")
            for index, item in enumerate(items):
                self.stdout.write((", " if index else "") + json.dumps(item), ending="")
            self.stdout.write("]", ending="")
        self.stdout.write("}")

    def _actor(self, space: Workspace, email: str | None) -> Actor:
        if email is None:
            return system(space.pk, self.channel)
        members = Membership.objects.active().select_related("user")
        member = members.filter(user__email__iexact=email.strip()).first()
        if member is None:
            sentence = gettext("No active member {email} in {workspace}.")
            raise wrong_usage(sentence.format(email=email, workspace=space))
        return member.actor(self.channel)
