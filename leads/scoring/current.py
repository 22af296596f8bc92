"""The active scoring model of the workspace in scope, cached by schema version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from crm.entities.versions import bump_schema
from crm.kit import clock
from crm.kit.scope import workspace
from leads.axes import BY_SCORE
from leads.models import ScoringModel
from leads.scoring import shipped
from leads.scoring.rules import Rules, read_rules


@dataclass(frozen=True, eq=False)
class Model:
    """A compiled version, the same object while it is active; `half_life` is in seconds."""

    pk: int
    version: int
    name: str
    rules: Rules
    half_life: float
    epoch: datetime

    def factor(self, at: datetime) -> float:
        """Return the factor of a stored sum at `at`."""
        return 2.0 ** -max(-1000.0, min(1000.0, (at - self.epoch).total_seconds() / self.half_life))


def current() -> Model:
    """Return the active model; a workspace without one gets the default model."""
    space = workspace()
    try:
        return _current(space.pk, space.schema_version)
    except ScoringModel.DoesNotExist:
        install_shipped()
        bump_schema()  # cached models must not outlive a rollback of this transaction
        return _current(space.pk, space.schema_version)


def thresholds() -> Mapping[str, int]:
    """Map each stage to its minimum score in tenths, highest stage first."""
    return dict(zip(reversed(BY_SCORE[1:]), reversed(current().rules.thresholds), strict=True))


@lru_cache(maxsize=1000)
def _current(workspace_id: int, schema_version: int) -> Model:
    return ready(ScoringModel.objects.latest("version"))


def ready(model: ScoringModel) -> Model:
    """Return a compiled version; invalid cases give no points, which is an exception."""
    rules = read_rules(model.rules, model.half_life, skip_unreadable=True)
    return Model(model.pk, model.version, model.name, rules, model.half_life * 86400.0, model.epoch)


def install_shipped() -> None:
    now = clock.now()
    facts = {"name": shipped.NAME, "rules": shipped.translated_rules(), "half_life": shipped.HALF_LIFE}
    ScoringModel.objects.get_or_create(version=1, defaults=facts | {"epoch": now, "created_at": now})
