"""What upper apps put on My day: late first contacts, hot leads, deals that stand still."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.kit.actor import Actor


@dataclass(frozen=True)
class Line:
    """One thing to see to: where it is, why it is here, and what one press of the key does about it.

    `act_url` is posted to; without one the key opens `url`.
    """

    title: str
    url: str
    why: str
    act: str
    act_url: str = ""
    due: datetime | None = None


@dataclass(frozen=True)
class Section:
    """Some lines below a heading; `lines(by)` is one statement. `more`: the list of all of them."""

    title: str
    lines: Callable[[Actor], Sequence[Line]]
    more: str
    is_urgent: bool = False


_sections: list[Section] = []


def register(section: Section) -> None:
    """Show a section on My day, behind those before it; one without lines is left out."""
    _sections.append(section)


def sections(by: Actor) -> list[tuple[Section, Sequence[Line]]]:
    """The sections that have something for the actor."""
    found = [(section, section.lines(by)) for section in sorted(_sections, key=lambda section: not section.is_urgent)]
    return [(section, lines) for section, lines in found if lines]
