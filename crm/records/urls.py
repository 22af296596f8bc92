"""URLs of all record types, below their entity's path."""

from collections.abc import Callable

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from crm.lists.board import board_page
from crm.lists.urls import list_urls
from crm.records.registry import RECORD_TYPES, RecordType
from crm.records.views import audit_log, editing, importing, moves, options, pages, teams


def record_urls(kind: RecordType) -> list[URLPattern]:
    """Return a type's URLs: list, files, and record pages."""
    entity, below = kind.entity.name, kind.entity.path
    one, run = f"{below}/<public_id:public_id>", f"{below}/import/<public_id:public_id>"
    routes: list[tuple[str, str, Callable[..., HttpResponseBase]]] = [
        ("new", f"{below}/new", editing.new),
        ("edit", f"{one}/edit", editing.change),
        ("field", f"{one}/field/<slug:key>", editing.change_field),
        ("timeline", f"{one}/timeline", pages.more_timeline),
        ("delete", f"{one}/delete", editing.trash),
        ("restore", f"{one}/restore", editing.take_out),
    ]
    if kind.board:
        routes.append(("board", f"{below}/board", board_page))
    if "import" in kind.files:
        routes.append(("import", f"{below}/import", importing.upload))
        routes.append(("import_run", run, importing.run_page))
        routes.append(("import_refused", f"{run}/refused", importing.refused_rows))
    if "export" in kind.files:
        routes.append(("export", f"{below}/export", importing.export))
    if kind.verbs:
        routes.append(("move", f"{one}/<slug:verb>", moves.move))
    found = [path(route, view, {"entity": entity}, name=f"{entity}_{name}") for name, route, view in routes]
    page = path(one, pages.record_page, {"entity": entity}, name=entity)
    return [kind.gate(route) for route in (*list_urls(entity), *found, page)]


urlpatterns = [
    path("contact/options", options.options, name="options"),
    path("settings/teams/<int:pk>/archive/", teams.archive_team_page, name="archive_team"),
    path("settings/audit/", audit_log.audit_log, name="audit_log"),
    path("settings/audit/export", audit_log.audit_export, name="audit_export"),
] + [route for kind in RECORD_TYPES.values() for route in (*kind.urls, *record_urls(kind))]
