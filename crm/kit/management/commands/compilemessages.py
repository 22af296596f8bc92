"""Compilation of translators' catalogs to binary ones, without GNU gettext, unlike Django's own."""

from datetime import UTC, datetime
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Command that writes django.mo beside each django.po of the settings' LOCALE_PATHS."""

    help = "Compile the catalogs of LOCALE_PATHS."  # not a text
    requires_system_checks = []

    def handle(self, **options):
        for file in (file for path in settings.LOCALE_PATHS for file in Path(path).rglob("django.po")):
            with file.open("rb") as source, file.with_suffix(".mo").open("wb") as target:
                catalog = read_po(source)
                # Babel would write the current time, so that every run changed all files.
                catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
                write_mo(target, catalog)
