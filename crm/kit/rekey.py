"""For migrations: make stored keys anew after search_key() has learned to fold more."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import models

from crm.kit.text import search_key

BATCH = 1_000
FOREIGN = r"[^\x01-\x7f]"  # what the earlier key left as it was; keys of ASCII are the same as ever


def refold_keys(app: str, *model_names: str, columns: Sequence[str]) -> Callable[[Any, Any], None]:
    """A migration's function: fold the keys in `columns` of these models further, batch by batch.

    A key is made of the key that is there: it was folded as text is, only not as far.
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
