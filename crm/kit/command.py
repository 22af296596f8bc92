"""What all commands have in common."""

from typing import Any

from django.core.management.base import BaseCommand


class TranslatedCommand(BaseCommand):
    """A command whose `help` is a lazy text, which argparse does not take."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs) -> Any:
        self.help = str(self.help)
        return super().create_parser(prog_name, subcommand, **kwargs)
