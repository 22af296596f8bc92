"""The tree of a company: those above it, and its subsidiaries."""

from collections import defaultdict
from dataclasses import dataclass, field

from contacts.models import Company
from crm.kit.actor import Actor
from crm.users.visibility import may_see

ABOVE, BELOW, MOST = 10, 3, 50  # levels above and below, companies below


@dataclass
class Relative:
    """A company in the tree. `is_self`: the one whose page it is; without `is_seen` only its name may be shown."""

    company: Company
    is_self: bool = False
    is_seen: bool = True
    below: list["Relative"] = field(default_factory=list)


def family(company: Company, by: Actor) -> Relative | None:
    """Return the tree from the topmost company on, as far as visible to the actor; None for a company on its own.

    As a link, a parent hidden from the actor is named, and ends the tree.
    """
    top = own = Relative(company, is_self=True, below=_below(company, by))
    for _level in range(ABOVE):
        parent = top.company.parent
        if parent is None or not top.is_seen:
            break
        top = Relative(parent, is_seen=may_see(parent, by), below=[top])
    return top if top is not own or own.below else None


def _below(company: Company, by: Actor) -> list[Relative]:
    found: defaultdict[int | None, list[Relative]] = defaultdict(list)
    level, count = [company.pk], 0
    for _level in range(BELOW):
        rows = Company.objects.live().visible_to(by).filter(parent__in=level).order_by("name_key", "pk")
        relatives = [Relative(each, below=found[each.pk]) for each in rows[: MOST - count]]
        for relative in relatives:
            found[relative.company.parent_id].append(relative)
        level, count = [relative.company.pk for relative in relatives], count + len(relatives)
        if not level:
            break
    return found[company.pk]
