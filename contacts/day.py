"""My day: a member's open tasks, plus sections of upper apps, e.g. overdue first contacts and hot leads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contacts.models import Activity
from crm.kit import clock
from crm.kit.actor import Actor


@dataclass(frozen=True)
class DayLine:
    """One item: its record, the reason it is listed, and its shortcut action.

    The key posts to `act_url` or, without one, opens `url`.
    """

    title: str
    url: str
    why: str
    act: str
    act_url: str = ""
    due: datetime | None = None


@dataclass(frozen=True)
class Section:
    """Lines below a heading; `lines(by)` is one statement. `more`: the URL of the full list."""

    title: str
    lines: Callable[[Actor], Sequence[DayLine]]
    more: str
    is_urgent: bool = False


_sections: list[Section] = []


def register(section: Section) -> None:
    """Add a section to My day, above those of lower apps; empty sections are hidden."""
    _sections.insert(0, section)


def sections(by: Actor) -> list[tuple[Section, Sequence[DayLine]]]:
    found = [(section, section.lines(by)) for section in sorted(_sections, key=lambda section: not section.is_urgent)]
    return [(section, lines) for section, lines in found if lines]


def my_tasks(by):
    """Return a member's open tasks on records still visible to them."""
    return Activity.objects.live().visible_to(by).filter(assignee=by.member_id, status="pending")


def due_tasks(by):
    """Return the tasks due by now, for the count beside My day."""
    return my_tasks(by).filter(due_at__lte=clock.now())
