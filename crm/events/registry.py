"""What can happen: every event is declared once, with the texts that timeline, audit log and API have for it."""

from dataclasses import dataclass, field

from crm.kit.errors import DomainError
from crm.kit.registry import Registry


class UndeclaredEvent(DomainError):
    """An event was recorded that no app declared."""


@dataclass(frozen=True)
class EventType:
    """A kind of event.

    `name` is entity.past_tense; `action` source 003's word in the audit log, '' for what handlers alone are told and no
    entry is written of; `label` names the event in lists (“Contact qualified”), `sentence` in a timeline (“{who}
    qualified this contact”); `public` is the spelling of source 002. One that is `derived` follows from something else
    by a rule: its author is the product, not who set that off.
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
    """Make events known. Declaring a name twice raises ValueError."""
    for kind in types:
        _declared.add(kind.name, kind)


def event_type(name: str) -> EventType:
    """The declared event called `name`. Raises UndeclaredEvent."""
    try:
        return _declared[name]
    except KeyError:
        raise UndeclaredEvent(f"No app declares the event {name!r}.") from None


def all_events() -> list[EventType]:
    return list(_declared)
