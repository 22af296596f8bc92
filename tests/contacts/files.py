"""Import files, and results of runs."""

import io

from crm.kit.actor import Channel, system
from crm.kit.scope import workspace
from crm.lists.imports.running import new_run, run_import


def import_csv(text, *, by=None, dry_run=False, entity="contact", **options):
    """Import records from `text` (or bytes) into the workspace in scope; return the run."""
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    by = by or system(workspace().pk, Channel.IMPORT)
    run = new_run(entity, file, "people.csv", by=by, **options)
    run.save()
    return run_import(run, file, by=by, dry_run=dry_run)


def counts(run):
    """Return (created, updated, unchanged, rejected)."""
    return run.created, run.updated, run.unchanged, run.refused


def refusals(run):
    """Map line to message."""
    return dict(run.refusals.values_list("line", "message"))
