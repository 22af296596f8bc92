"""manage.py export_contacts --workspace SLUG"""

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TextIO

from crm.conditions.compile import Viewer
from crm.conditions.condition import and_
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.entities.fields import FieldType
from crm.entities.schema import schema
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.kit.translation import gettext_lazy
from crm.lists.exporting import export_csv, export_paths, record_export
from crm.lists.spec import View, spec_of
from crm.lists.state import ALL, views_for
from crm.records.registry import RECORD_TYPES
from crm.users.command import WorkspaceCommand, wrong_usage


class Command(WorkspaceCommand):
    """Export contacts as CSV for import_contacts. Exit status 0 on success, 2 for wrong usage."""

    entity = "contact"
    help = gettext_lazy("Export contacts as CSV, all or filtered by a view and a condition.")
    columns, condition = "name,email,company.name", "stage = Lead"  # examples  # not a text

    def add_arguments(self, parser):
        parser.add_argument(
            "--view",
            metavar="SLUG",
            default="",
            help=_("only the records of this view, with its columns"),
        )
        parser.add_argument(
            "--where",
            metavar="CONDITION",
            default="",
            help=_("a condition, e.g. “{condition}”").format(condition=self.condition),
        )
        parser.add_argument(
            "--columns",
            metavar="A,B,…",
            default="",
            help=_("fields by name, e.g. {columns}").format(columns=self.columns),
        )
        parser.add_argument(
            "--output",
            metavar="FILE",
            default="",
            help=_("the file to write (default: standard output)"),
        )

    def run(self, by: Actor, *, view: str, where: str, columns: str, output: str, json: bool, **options) -> int:
        """Write the file, and with --json print its row count."""
        shown = _view(self.entity, view, by)
        names = [name.strip() for name in columns.split(",") if name.strip()]
        try:
            rows = _rows(self.entity, shown, where, by)
            paths = export_paths(self.entity, names or shown.columns or _every_column(self.entity))
        except (ConditionError, Invalid) as error:
            raise wrong_usage(str(error)) from None
        record_export(self.entity, paths, by)
        with _target(output) as file:
            file.writelines(export_csv(rows, paths, names or [path.label for path in paths], by))
        if json:
            self.tell({"rows": rows.visible_to(by).count(), "output": output})
        return 0


def _target(output: str) -> AbstractContextManager[TextIO]:
    try:
        return Path(output).open("w", encoding="utf-8", newline="") if output else nullcontext(sys.stdout)
    except OSError as error:
        raise wrong_usage(f"{output}: {error.strerror}.") from None


def _view(entity: str, slug: str, by: Actor) -> View:
    views = {view.slug: view for view in views_for(spec_of(entity), by)}
    if slug and slug not in views:
        sentence = _("No view “{slug}”. Choose one of: {views}.")
        raise wrong_usage(sentence.format(slug=slug, views=", ".join(views)))
    return views[slug] if slug else ALL


def _rows(entity: str, view: View, where: str, by: Actor):
    condition = parse(and_(view.condition, where), entity)
    rows = RECORD_TYPES[entity].model.objects.live()
    return rows.filter(condition.expression(Viewer.looking(by), clock.now())) if condition else rows


def _every_column(entity: str) -> list[str]:
    return [f"[{field.key}]" for field in schema(entity) if field.type is not FieldType.MANY]
