"""The stages of an opportunity, as its workspace has them: open ones in any order, then won or lost."""

from crm.entities.fields import Choice
from crm.kit.actor import Role
from crm.kit.lazy import LazySequence
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis, Move, Reason
from crm.opportunities import pipelines
from crm.opportunities.models import StageKind
from crm.opportunities.pipelines import all_stages, choice, stages

KIND = StageKind


def _in_use(*kinds: str) -> LazySequence[str]:
    return LazySequence(lambda: [stage.key for stage in stages(*kinds)])


def _ever(*kinds: str) -> LazySequence[str]:
    return LazySequence(lambda: [stage.key for stage in all_stages(*kinds)])


OPEN, WON, LOST = _in_use(KIND.OPEN), _in_use(KIND.WON), _in_use(KIND.LOST)
CHOICES: LazySequence[Choice] = LazySequence(lambda: [choice(stage) for stage in stages()])

STAGE = Axis(
    entity="opportunity",
    field="stage",
    label=_("Stage"),
    values=CHOICES,
    past=LazySequence(lambda: [choice(stage) for stage in all_stages() if pipelines.is_archived(stage)]),
    starts=OPEN,
    group_field="pipeline",
    expected=lambda: {stage.key: stage.expected_days for stage in all_stages()},
    expected_help=_("Set the expected time in stage under Settings → Pipelines."),
    moves=(
        Move("move_stage", _("Move"), _ever(KIND.OPEN), "", "opportunity.moved", targets=OPEN),
        Move("win", _("Mark as won"), _ever(KIND.OPEN), "", "opportunity.won", targets=WON, aliases=("Won",)),
        Move(
            "lose",
            _("Mark as lost"),
            _ever(KIND.OPEN),
            "",
            "opportunity.lost",
            reason=Reason.ASKED,
            targets=LOST,
            aliases=("Lost",),
        ),
        Move(
            "reopen",
            _("Reopen"),
            _ever(KIND.WON, KIND.LOST),
            "",
            "opportunity.reopened",
            role=Role.MANAGER,
            reason=Reason.REQUIRED,
            targets=OPEN,
        ),
        Move(
            "change_pipeline",
            _("Change pipeline"),
            _ever(KIND.OPEN),
            "",
            "opportunity.pipeline_changed",
            targets=OPEN,
            leaves_group=True,
        ),
    ),
)

VERBS = {KIND.OPEN: "move_stage", KIND.WON: "win", KIND.LOST: "lose"}


def verb_to(key: str) -> str:
    """Return the verb that moves an open opportunity to a stage. Raises KeyError."""
    return VERBS[StageKind(pipelines.stage(key).kind)]
