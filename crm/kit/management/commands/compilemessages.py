"""Compilation of translators' catalogs to binary ones, without GNU gettext, unlike Django's own."""

from datetime import UTC, datetime
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Command that writes django.mo beside each django.po of crm/locale."""

    help = "Compile crm/locale/*/LC_MESSAGES/django.po."  # not a text
    requires_system_checks = []

    def handle(self, **options):
        for file in sorted(Path(settings.LOCALE_PATHS[0]).rglob("django.po")):
            with file.open("rb") as source, file.with_suffix(".mo").open("wb") as target:
                catalog = read_po(source)
                # Babel would write the current time, so that every run changed all files.
                catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
                write_mo(target, catalog)
