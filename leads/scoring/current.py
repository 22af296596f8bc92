"""The scoring model of the workspace in scope: the version that counts, read once for each state of the settings."""

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
    """A version ready for use, the same object as long as it counts; `half_life` is in seconds."""

    pk: int
    version: int
    name: str
    rules: Rules
    half_life: float
    epoch: datetime

    def factor(self, at: datetime) -> float:
        """What a stored sum is multiplied with to know it at `at`."""
        return 2.0 ** -max(-1000.0, min(1000.0, (at - self.epoch).total_seconds() / self.half_life))


def current() -> Model:
    """The model that scores leads now; a workspace that was made without one gets the shipped one."""
    space = workspace()
    try:
        return _current(space.pk, space.schema_version)
    except ScoringModel.DoesNotExist:
        install_shipped()
        bump_schema()  # what is kept in memory must not outlive this transaction, should it be taken back
        return _current(space.pk, space.schema_version)


def thresholds() -> Mapping[str, int]:
    """The score in tenths from which on a lead stands at a stage, the highest stage first."""
    return dict(zip(reversed(BY_SCORE[1:]), reversed(current().rules.thresholds), strict=True))


@lru_cache(maxsize=1000)
def _current(workspace_id: int, schema_version: int) -> Model:
    return ready(ScoringModel.objects.latest("version"))


def ready(model: ScoringModel) -> Model:
    """A saved version as it is used; cases that can no longer be read give no points, which is an exception."""
    rules = read_rules(model.rules, model.half_life, skip_unreadable=True)
    return Model(model.pk, model.version, model.name, rules, model.half_life * 86400.0, model.epoch)


def install_shipped() -> None:
    """Give the workspace in scope the model it starts with."""
    now = clock.now()
    facts = {"name": shipped.NAME, "rules": shipped.translated_rules(), "half_life": shipped.HALF_LIFE}
    ScoringModel.objects.get_or_create(version=1, defaults=facts | {"epoch": now, "created_at": now})
