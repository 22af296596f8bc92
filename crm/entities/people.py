"""Members and teams of the workspace in scope, by name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, count

from crm.kit.text import search_key
from crm.users.models import Membership, Team


@dataclass(frozen=True)
class MemberOrTeam:
    """A member or team: primary key, label, and every accepted name (folded).

    `handle` is for mentions: mara, for @mara.
    """

    pk: int
    label: str
    names: frozenset[str]
    handle: str = ""


class Directory:
    """A workspace's members or teams, loaded once; `prefix` starts the stable reference: member_12."""

    def __init__(self, prefix: str, rows: list[MemberOrTeam]):
        self.prefix = prefix
        self.rows = {row.pk: row for row in rows}

    def find(self, text: str) -> list[MemberOrTeam]:
        """Return the matches of `text`: none, one, or several of one name."""
        if pk := stable_pk(self.prefix, text):
            return [self.rows[pk]] if pk in self.rows else []
        wanted = search_key(text)
        return [row for row in self.rows.values() if wanted in row.names]

    def labels(self) -> list[str]:
        return [row.label for row in self.rows.values()]

    def label(self, pk: int) -> str:
        """Return a text by which find() returns this one."""
        row = self.rows.get(pk)
        return row.label if row else f"{self.prefix}_{pk}"


def stable_pk(prefix: str, text: str) -> int | None:
    """Return 12 for "member_12"; None for other text."""
    match = re.fullmatch(rf"{prefix}_([0-9]{{1,18}})", text.strip(), re.IGNORECASE | re.ASCII)
    return int(match[1]) if match else None


def members() -> Directory:
    """Return all members of the workspace, former ones included, because records still refer to them. One statement.

    Labeled by name if unique (and no word of the condition language), otherwise by email.
    """
    rows = Membership.objects.values_list("pk", "user__name", "user__email").order_by("pk")
    people = [(pk, " ".join(name.split()), email) for pk, name, email in rows]
    counts: dict[str, int] = {"": 2, "me": 2, "my team": 2}  # not a text
    for _, name, _ in people:
        counts[search_key(name)] = counts.get(search_key(name), 0) + 1
    labels = [name if counts[search_key(name)] == 1 else email for _, name, email in people]
    answers = [frozenset({search_key(name), search_key(email)} - {""}) for _, name, email in people]
    return Directory("member", list(map(MemberOrTeam, [pk for pk, *_ in people], labels, answers, _handles(people))))


def _handles(people: Iterable[tuple[int, str, str]]) -> list[str]:
    """Return each address's local part; numbered if an earlier member has it."""
    taken: dict[str, None] = {}
    for _, _, email in people:
        stem = re.sub(r"[^a-z0-9._-]", "", email.partition("@")[0].lower()).strip("._-") or "member"
        numbered = (f"{stem}{number}" for number in count(2))
        taken[next(handle for handle in chain([stem], numbered) if handle not in taken)] = None
    return list(taken)


def teams() -> Directory:
    rows = Team.objects.live().values_list("pk", "name").order_by("pk")
    return Directory("team", [_team(pk, " ".join(name.split())) for pk, name in rows])


def _team(pk: int, name: str) -> MemberOrTeam:
    is_word = search_key(name) == "my team"  # not a text
    return MemberOrTeam(pk, f"team_{pk}" if is_word else name, frozenset({search_key(name)}))
