"""Base of all management commands."""

from typing import Any

from django.core.management.base import BaseCommand


class TranslatedCommand(BaseCommand):
    """A command with a lazy `help` text, which argparse does not accept."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs) -> Any:
        self.help = str(self.help)
        return super().create_parser(prog_name, subcommand, **kwargs)
