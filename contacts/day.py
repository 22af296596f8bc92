"""My day: a member's open tasks, and what upper apps put there, such as late first contacts and hot leads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contacts.models import Activity
from crm.kit import clock
from crm.kit.actor import Actor


@dataclass(frozen=True)
class DayLine:
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
    lines: Callable[[Actor], Sequence[DayLine]]
    more: str
    is_urgent: bool = False


_sections: list[Section] = []


def register(section: Section) -> None:
    """Show a section on My day, before those of the apps below; one without lines is left out."""
    _sections.insert(0, section)


def sections(by: Actor) -> list[tuple[Section, Sequence[DayLine]]]:
    found = [(section, section.lines(by)) for section in sorted(_sections, key=lambda section: not section.is_urgent)]
    return [(section, lines) for section, lines in found if lines]


def my_tasks(by):
    """The open tasks of a member on records that they still see."""
    return Activity.objects.live().visible_to(by).filter(assignee=by.member_id, status="pending")


def due_tasks(by):
    """Those due by now: the count beside My day."""
    return my_tasks(by).filter(due_at__lte=clock.now())
