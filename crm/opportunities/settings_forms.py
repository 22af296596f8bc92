"""The forms of a pipeline's settings."""

from decimal import Decimal
from typing import Any

from django import forms

from crm.entities.models import TONES
from crm.kit.translation import gettext as _
from crm.kit.translation import gettext_lazy
from crm.opportunities.models import Pipeline, PipelineStage, StageKind
from crm.opportunities.naming import LONGEST
from crm.opportunities.pipelines import TEMPLATES, label_of, name_of, stages
from crm.opportunities.verbs.save_pipeline import LONGEST_STAY, MOST, StageRow


class NewPipelineForm(forms.Form):
    """The name of a new pipeline, and what it starts from."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST)
    template = forms.ChoiceField(label=gettext_lazy("Start from"), required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        templates = [(key, template.name) for key, template in TEMPLATES.items()]
        self.fields["template"].choices = [("", _("Three stages to rename")), *templates]  # type: ignore[attr-defined]


class PipelineForm(forms.Form):
    """The name of a pipeline, whether it is the default, and where converted leads start."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST)
    make_default = forms.BooleanField(
        label=gettext_lazy("Default pipeline"),
        required=False,
        help_text=gettext_lazy("For new opportunities and converted leads."),
    )
    converted = forms.ChoiceField(
        label=gettext_lazy("Stage for converted leads"),
        required=False,
        help_text=gettext_lazy("Where opportunities start when a lead is converted."),
    )

    def __init__(self, *args: Any, pipeline: Pipeline, **kwargs: Any):
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        found = stages(StageKind.OPEN, pipeline=pipeline.key)
        first = next((stage.key for stage in found if stage.is_for_converted), "")
        self.initial = {"name": name_of(pipeline), "make_default": pipeline.is_default, "converted": first}
        choices = [("", _("The first one")), *((stage.key, label_of(stage)) for stage in found)]
        self.fields["converted"].choices = choices  # type: ignore[attr-defined]
        if pipeline.is_default:
            del self.fields["make_default"]


class StageForm(forms.Form):
    """One stage; a new one without a label is dropped. The outcome is asked of new ones only."""

    key = forms.CharField(required=False, widget=forms.HiddenInput)
    label = forms.CharField(max_length=LONGEST, required=False)
    kind = forms.ChoiceField(choices=StageKind.choices, required=False)
    probability = forms.IntegerField(min_value=0, max_value=100, required=False)
    expected_days = forms.IntegerField(min_value=1, max_value=LONGEST_STAY, required=False)
    tone = forms.ChoiceField(choices=list(TONES.items()), required=False)


StageFormSet = forms.formset_factory(StageForm, extra=2, can_order=True, max_num=MOST, absolute_max=MOST)


def as_initial(stage: PipelineStage) -> dict[str, Any]:
    """Return what the form of a stage shows."""
    kept = {name: getattr(stage, name) for name in ("key", "kind", "tone", "expected_days")}
    return kept | {"label": label_of(stage), "probability": round(stage.probability * 100)}


def stage_rows(formset: Any, known: dict[str, PipelineStage], converted: str) -> list[StageRow]:
    """Return the stages of a valid formset in their order; unchanged texts of templates stay in English.

    Raises KeyError for a key that is not in `known`.
    """
    rows = [form.cleaned_data for form in formset.ordered_forms]
    return [_row(row, known, converted) for row in rows if row.get("label") or row.get("key")]


def _row(row: dict[str, Any], known: dict[str, PipelineStage], converted: str) -> StageRow:
    stage = known[row["key"]] if row["key"] else None
    unchanged = stage is not None and row["label"] == label_of(stage)
    return StageRow(
        label=stage.label if stage and unchanged else row["label"],
        key=row["key"],
        kind=row["kind"] or StageKind.OPEN,
        probability=Decimal(row["probability"] or 0) / 100,
        expected_days=row["expected_days"],
        tone=row["tone"] or "grey",
        is_for_converted=bool(row["key"]) and row["key"] == converted,
    )


class ArchiveStageForm(forms.Form):
    """Where the opportunities of a stage go."""

    to = forms.ChoiceField(label=gettext_lazy("Move its opportunities to"))

    def __init__(self, *args: Any, stage: PipelineStage, **kwargs: Any):
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        others = [each for each in stages(stage.kind, pipeline=stage.pipeline) if each.key != stage.key]
        self.fields["to"].choices = [(each.key, label_of(each)) for each in others]  # type: ignore[attr-defined]
