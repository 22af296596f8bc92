"""Save a new scoring model version."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max

from audit.record import record
from crm.entities.versions import bump_schema, lock_settings
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from leads.models import ScoringModel
from leads.scoring.rules import by_key, read_rules
from leads.scoring.runs import open_run

KEPT = ("version", "name", "rules", "half_life", "epoch")


@transaction.atomic
def save_scoring_model(name: str, rules: Mapping[str, Any], half_life: int, *, by: Actor) -> ScoringModel:
    """Save a version that scores from now on, and start a run that rescores all open leads, finished by the engine.

    `rules` as in leads.scoring.rules, `half_life` in days. Admins only. Raises NotAllowed, and Invalid with a message
    per error.
    """
    lock_settings(by)
    if not 0 < len(name.strip()) <= 100:
        raise Invalid({"name": _("Enter a name of up to 100 characters.")})
    read_rules(rules, half_life)
    last = ScoringModel.objects.aggregate(last=Max("version"))["last"] or 0
    now = clock.now()
    facts = {"version": last + 1, "name": name.strip(), "rules": by_key(rules), "half_life": half_life}
    model = ScoringModel.objects.create(**facts, epoch=now, created_at=now)
    record("scoring_model.created", ScoringModel.objects.filter(pk=model.pk), by=by, snapshot=KEPT)
    bump_schema()
    open_run(by=by, anew=True)
    return model
