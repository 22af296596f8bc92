"""Exceptions for invalid settings: they are skipped, so admins must learn of them."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from crm.anomalies.detect import register
from crm.anomalies.kinds import AnomalyKind
from crm.anomalies.models import UnreadableSetting
from crm.entities.fields import Field, FieldType
from crm.entities.registry import Entity
from crm.entities.registry import register as register_entity
from crm.entities.uses import all_setting_uses
from crm.kit import clock
from crm.kit.translation import gettext_lazy as _

Facts = Mapping[tuple[str, int], dict[str, Any]]

# Not a record with pages of its own: exceptions are about settings.
register_entity(
    Entity(
        "unreadable_setting",
        "exceptions.UnreadableSetting",
        _("Invalid setting"),
        _("Invalid settings"),
        "setting",
    )
).add(Field("name", _("Name"), FieldType.TEXT, editable=False))


def unreadable_settings() -> QuerySet:
    """Return the invalid settings of the workspace in scope. Conditions are parsed here, not by the database."""
    found = _found()
    known = {(row.storer, row.setting): row for row in UnreadableSetting.objects.all()}
    if found != {key: _facts(row) for key, row in known.items()}:
        _write(found, known)
    return UnreadableSetting.objects.all()


def _found() -> Facts:
    problems = [(use, use.problem()) for use in all_setting_uses() if use.blocks]
    return {
        (use.kind, use.pk): {"name": str(use.label)[:300], "url": use.url[:300], "problem": str(problem)}
        for use, problem in problems
        if problem
    }


def _facts(row: UnreadableSetting) -> dict[str, Any]:
    return {"name": row.name, "url": row.url, "problem": row.problem}


@transaction.atomic
def _write(found: Facts, known: Mapping[tuple[str, int], UnreadableSetting]) -> None:
    gone = [row.pk for key, row in known.items() if key not in found]
    UnreadableSetting.objects.filter(pk__in=gone).delete()
    for key in found.keys() & known.keys():
        UnreadableSetting.objects.filter(pk=known[key].pk).update(**found[key])
    new = [
        UnreadableSetting(storer=storer, setting=pk, found_at=clock.now(), **facts)
        for (storer, pk), facts in found.items()
        if (storer, pk) not in known
    ]
    # The job may run at the same time in another process.
    UnreadableSetting.objects.bulk_create(new, ignore_conflicts=True)


register(
    AnomalyKind(
        name="setting_unreadable",
        label=_("Invalid setting"),
        entity="unreadable_setting",
        rows=unreadable_settings,
        since=lambda: F("found_at"),
        evidence=lambda: F("problem"),
        help=_("Fix setting"),
        url=UnreadableSetting.get_absolute_url,
    )
)
