"""Migration helper that rebuilds stored keys after search_key() folds more characters."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import models

from crm.kit.text import search_key

BATCH = 1_000
FOREIGN = r"[^\x01-\x7f]"  # text the earlier key left unchanged; ASCII keys stay the same


def refold_keys(app: str, *model_names: str, columns: Sequence[str]) -> Callable[[Any, Any], None]:
    """Return a migration function that refolds the keys in `columns` of these models, in batches.

    New keys are derived from the old ones, which were folded like text, only less.
    """

    def forwards(apps: Any, schema_editor: Any) -> None:
        for name in model_names:
            _rekey(apps.get_model(app, name), columns, schema_editor.connection.alias)

    return forwards


def _rekey(model: Any, columns: Sequence[str], using: str) -> None:
    found = models.Q()
    for column in columns:
        found |= models.Q(**{f"{column}__regex": FOREIGN})
    limits = {column: getattr(model._meta.get_field(column), "max_length", None) for column in columns}
    rows, last = model.objects.using(using).filter(found).order_by("pk"), 0
    while batch := list(rows.filter(pk__gt=last).only("pk", *columns)[:BATCH]):
        last = batch[-1].pk
        for record in batch:
            for column in columns:
                setattr(record, column, search_key(getattr(record, column))[: limits[column]])
        model.objects.using(using).bulk_update(batch, columns, batch_size=100)
