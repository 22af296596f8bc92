"""Files to import, and what a run made of them."""

import io

from crm.kit.actor import Channel, system
from crm.kit.scope import workspace
from crm.lists.imports.running import new_run, run_import


def import_csv(text, *, by=None, dry_run=False, **options):
    """Import a file of contacts that holds `text` (or bytes) into the workspace in scope; gives the run."""
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    by = by or system(workspace().pk, Channel.IMPORT)
    run = new_run("contact", file, "people.csv", by=by, **options)
    run.save()
    return run_import(run, file, by=by, dry_run=dry_run)


def counts(run):
    """(created, updated, unchanged, refused)."""
    return run.created, run.updated, run.unchanged, run.refused


def refusals(run):
    """line → sentence."""
    return dict(run.refusals.values_list("line", "message"))
