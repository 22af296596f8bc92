"""Registry of events: each is declared once, with its texts for the timeline, audit log and API."""

from dataclasses import dataclass, field

from crm.kit.errors import DomainError
from crm.kit.registry import Registry


class UndeclaredEvent(DomainError):
    """An event was recorded that no app declared."""


@dataclass(frozen=True)
class EventType:
    """A kind of event.

    `name` is entity.past_tense; `action` is source 003's word in the audit log, '' for events that only handlers
    receive and that have no entry; `label` names the event in lists (“Contact qualified”), `sentence` in a timeline
    (“{who} qualified this contact”); `public` is the name from source 002. A `derived` event follows from another by a
    rule, so its author is the product, not the person who triggered it.
    """

    name: str
    action: str
    label: str = field(compare=False)
    sentence: str = field(default="", compare=False)
    public: str = ""
    icon: str = "circle"
    severity: str = "info"
    category: str = "operational"
    derived: bool = False

    @property
    def entity(self) -> str:
        return self.name.partition(".")[0]


_declared: Registry[EventType] = Registry("event")


def declare(*types: EventType) -> None:
    """Register events. Raises ValueError for a name declared twice."""
    for kind in types:
        _declared.add(kind.name, kind)


def event_type(name: str) -> EventType:
    """Return the declared event called `name`. Raises UndeclaredEvent."""
    try:
        return _declared[name]
    except KeyError:
        raise UndeclaredEvent(f"No app declares the event {name!r}.") from None


def all_events() -> list[EventType]:
    return list(_declared.values())
