"""Django's command for Throughline's languages: a catalog changes only if a text did."""

import re
from pathlib import Path

from django.conf import settings
from django.core.management.commands import makemessages

DATE = re.compile(r'^"POT-Creation-Date: .*\n', re.MULTILINE)


class Command(makemessages.Command):
    """Command that extracts texts from code and templates to crm/locale; `make messages` compiles them afterwards."""

    msgmerge_options = ["-q", "--backup=none", "--previous", "--update", "--no-fuzzy-matching"]

    def add_arguments(self, parser):
        super().add_arguments(parser)
        languages = sorted(path.name for path in Path(settings.LOCALE_PATHS[0]).iterdir() if path.is_dir())
        ignored = [".venv/*", "var/*", "tests/*", "bench/*", "docs/*", "deploy/*"]
        parser.set_defaults(locale=languages, ignore_patterns=ignored, no_location=True, no_obsolete=True, no_wrap=True)

    def write_po_file(self, potfile, locale):
        super().write_po_file(potfile, locale)
        file = Path(settings.LOCALE_PATHS[0]) / locale / "LC_MESSAGES" / "django.po"
        text = file.read_text(encoding="utf-8")
        if (dateless := DATE.sub("", text)) != text:
            file.write_text(dateless, encoding="utf-8")
