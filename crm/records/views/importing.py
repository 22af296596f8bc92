"""Import pages: upload, mapping, preview, import, report. And list export."""

import codecs
import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO, cast

from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from crm.kit import formats
from crm.kit.errors import DomainError, Invalid
from crm.kit.responses import error_page, show_errors, toast, warn
from crm.kit.timelimit import LONG, PATIENT, long_request, time_limit
from crm.kit.transfers import max_body_size
from crm.kit.translation import gettext, in_english, ngettext
from crm.lists.exporting import export_csv, export_paths, header_of, record_export
from crm.lists.formulas import escape
from crm.lists.imports.mapping import build_mapping
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import importer, report_parts
from crm.lists.imports.running import check_role, forget_abandoned, new_run, run_import, visible_runs
from crm.lists.models import ImportRun, UndoRun
from crm.lists.spec import spec_of
from crm.lists.state import read_state
from crm.records.forms import MappingForm, UploadForm
from crm.users.http import Request
from crm.users.limits import limited, uploads

LARGEST = 100 << 20  # bytes
MAX_ROWS = 20_000  # per request; the command handles larger files
SAMPLES = 3
SHOWN = 100  # rejected rows per page; the download has all


@max_body_size(LARGEST)
@require_http_methods(["GET", "POST"])
@limited("import", applies=uploads)
def upload(request: Request, entity: str) -> HttpResponse:
    """Choose a file; list earlier imports."""
    check_role(request.actor)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(_uploaded(request, entity, form.cleaned_data["file"]))
        except Invalid as error:
            form.add_error("file", str(error))
    runs = visible_runs(entity, request.actor).select_related("member__user")[:20]
    context = _about(entity) | {"form": form, "runs": runs, "max_rows": MAX_ROWS}
    return render(request, "lists/import.html", context, status=422 if form.errors else 200)


def _uploaded(request: Request, entity: str, file) -> ImportRun:
    forget_abandoned()
    sheet = Sheet(file.file)
    for _ in sheet.rows(MAX_ROWS):
        pass  # reject too many rows before their columns are mapped
    run = new_run(entity, file.file, file.name, by=request.actor, columns_needed=False)
    with transaction.atomic():
        if request.actor.once:
            request.actor.once(request.actor.change, run.get_absolute_url())
        run.file.save("import.csv", file, save=False)
        run.save()
    return run


@require_http_methods(["GET", "POST"])
@limited("import_run", applies=uploads)
def run_page(request: Request, entity: str, public_id: str) -> HttpResponse:
    """Show one import: mapping and preview first, then its report."""
    check_role(request.actor)
    run = _find(request, entity, public_id)
    if run.present_state not in ImportRun.OPEN:
        return render(request, "lists/import_report.html", _report(run) | {"parts": report_parts(run, request)})
    with run.file.open("rb") as file:
        sheet = Sheet(cast(BinaryIO, file))  # Django's File delegates every call
        form = MappingForm(entity, sheet.header, run, request.actor, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return _next(request, run, sheet, file, form.cleaned_data)
            except DomainError as error:
                show_errors(form, error if isinstance(error, Invalid) else Invalid(str(error)))
        columns = list(zip(sheet.header, _samples(sheet), form.columns(), strict=True))
    context = _report(run) | {"form": form, "columns": columns}
    return render(request, "lists/import_map.html", context, status=422 if form.errors else 200)


def _next(request: Request, run: ImportRun, sheet: Sheet, file, wanted: dict) -> HttpResponse:
    """Save and preview the mapping; if it is unchanged since the preview, import."""
    run.mapping = build_mapping(run.entity, sheet.header, wanted["mapping"]).stored()
    run.on_match, run.override_reason = wanted["on_match"], wanted.get("override_reason", "")
    trial = request.POST.get("do") != "import"
    as_seen = ImportRun.objects.filter(pk=run.pk, state=run.state, seen_at=run.seen_at)
    if not trial and not as_seen.update(state=ImportRun.State.RUNNING, seen_at=timezone.now()):
        return redirect(run)  # a double click
    with long_request(PATIENT):
        run_import(run, file, by=request.actor, dry_run=trial)
    if not trial:
        run.file.delete(save=True)
        done = ngettext("{count} of {total} row imported.", "{count} of {total} rows imported.", run.rows)
        count, total = formats.number(run.created + run.updated), formats.number(run.rows)
        (warn if run.refused == run.rows else toast)(request, done.format(count=count, total=total))
    return redirect(run)


def _find(request: Request, entity: str, public_id: str) -> ImportRun:
    run = visible_runs(entity, request.actor).filter(public_id=public_id).first()
    if run is None:
        raise Http404
    return run


def _report(run: ImportRun) -> dict:
    refusals = {"refusals": run.refusals.all()[:SHOWN], "more": max(run.refused - SHOWN, 0)}
    undoing = UndoRun.objects.filter(change=run.change, finished_at__isnull=True).exists()
    return _about(run.entity) | refusals | {"run": run, "undoing": undoing}


def _about(entity: str) -> dict:
    return {"spec": spec_of(entity), "lede": importer(entity).lede}


def _samples(sheet: Sheet) -> list[list[str]]:
    """Return the first values of each column as examples."""
    samples: list[list[str]] = [[] for _ in sheet.header]
    for row in islice((row for row in sheet.rows() if not row.problem), 50):
        for cell, seen in zip(row.cells, samples, strict=True):
            if cell.strip() and len(seen) < SAMPLES and cell[:40] not in seen:
                seen.append(cell[:40])
    return samples


@require_GET
def refused_rows(request: Request, entity: str, public_id: str) -> HttpResponseBase:
    """Return the rejected rows with reasons, as CSV to correct and import again."""
    run = _find(request, entity, public_id)
    return download(_refused(run), f"{run.file_name.rsplit('.', 1)[0]}-rejected.csv")


def _refused(run: ImportRun) -> Iterator[str]:
    yield _line(["Line", "Column", "Reason", *run.header])
    for refusal in run.refusals.iterator(2000):
        yield _line([str(refusal.line), refusal.column, refusal.message, *refusal.cells])


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([escape(cell) for cell in cells])
    return out.getvalue()


@require_GET
@limited("export")
def export(request: Request, entity: str) -> HttpResponseBase:
    state = read_state(request, spec_of(entity))
    unknown = [key for key in request.GET.get("columns", "").split(",") if key and not state.shows(key)]
    if state.error or unknown:
        sentence = gettext("There’s no column “{name}”. Choose other columns.")
        return error_page(request, 422, state.error or sentence.format(name=unknown[0]))
    paths = export_paths(entity, [f"[{key}]" for key in state.column_keys])
    rows = state.rows().alias(sort_value=state.sort.value())
    parts = export_csv(rows, paths, header_of(paths), request.actor, ordering=state.sort.ordering(False))
    with time_limit(LONG):
        kind = in_english(state.spec.kind.plural).lower()
        response = download(parts, f"{kind}-{timezone.localdate():%Y-%m-%d}.csv")
    record_export(entity, paths, request.actor)
    return response


def download(parts: Iterable[str], name: str) -> FileResponse:
    """Write the parts to a file before sending it: no query waits for a slow client, or fails midway."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
    file.write(codecs.BOM_UTF8)  # without it Excel misreads UTF-8
    file.writelines(part.encode() for part in parts)
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
    response["Cache-Control"] = "no-store, private"  # not a text
    return response
