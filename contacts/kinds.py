"""The kinds of record whose pages are alike, and what those pages need to know of each. Upper apps register theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contacts import timeline
from contacts.models import Company, Contact, Record
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from crm.kit.outcome import Outcome
from crm.users.visibility import Locked


@dataclass(frozen=True)
class Kind:
    """What the pages of a record show and call.

    `related`: the links that its page follows. `timeline(record, by, before)`: see contacts.timeline. `about(record)`:
    whom an activity written on its page is about, as log() takes it. `hint`: the column that tells namesakes apart.
    `hold_in_trash(locked)` refuses those that may not come back. `asked_once`: fields of new records that nobody edits.
    `found`: the template that shows what the search over everything finds of them; '' when it does not look.
    """

    model: type[Record]
    related: tuple[str, ...]
    create: Callable[..., Outcome]
    timeline: Callable[..., tuple[list, list, str]]
    about: Callable[[Any], dict[str, int]]
    hint: str
    hold_in_trash: Callable[[Locked], None] = lambda locked: None
    asked_once: tuple[str, ...] = ()
    found: str = ""


KINDS: dict[str, Kind] = {
    "contact": Kind(
        model=Contact,
        related=("company", "owner__user", "team", "manager"),
        create=create,
        timeline=timeline.of_contact,
        about=lambda contact: {"contact_id": contact.pk},
        hint="email",
    ),
    "company": Kind(
        model=Company,
        related=("owner__user", "team"),
        create=create_company,
        timeline=timeline.of_company,
        about=lambda company: {"company_id": company.pk},
        hint="city",
    ),
}
