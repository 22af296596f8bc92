"""The project's record type."""

from contacts.entities import SHARED
from contacts.timeline import of_record
from crm.entities.fields import Field
from crm.entities.fields import FieldType as T
from crm.entities.registry import Entity
from crm.events.registry import EventType
from crm.lists.spec import ListSpec
from crm.records.declare import common_record_events, declare
from crm.records.registry import RecordType
from tests.records.projects.axes import STATE
from tests.records.projects.verbs.finish import finish

PROJECT = Entity("project", "projects.Project", "Project", "Projects", "project")
PROJECT.add(
    Field("name", "Name", T.TEXT, required=True, sort="name_key", folded="name_key"),
    Field("budget", "Budget", T.NUMBER),
    Field("state", "State", T.SELECT, choices=STATE.values, editable=False),
    *SHARED,
)

declare(
    RecordType(
        entity=PROJECT,
        events=(
            *common_record_events("project", icon="folder"),
            EventType(
                "project.finished", "MOVE", "Project finished", "{who} finished this project", "Finished", "flag"
            ),
        ),
        axes=(STATE,),
        verbs={"finish": finish},
        timeline=of_record,
        listing=ListSpec("project", columns=("name", "state", "budget", "owner"), sort="name"),
    )
)
