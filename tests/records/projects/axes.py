"""The axis of a project."""

from crm.entities.fields import Choice
from crm.lifecycle.axes import Axis, Move, Reason

STATE = Axis(
    entity="project",
    field="state",
    label="State",
    values=(Choice("planned", "Planned", "grey"), Choice("finished", "Finished", "green")),
    moves=(Move("finish", "Finish", ("planned",), "finished", "project.finished", reason=Reason.ASKED),),
)
