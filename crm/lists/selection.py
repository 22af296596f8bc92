"""Selected records of a bulk action: the ticked ones, or all that match the list's URL."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import QueryDict

from crm.lists.paging import count
from crm.lists.spec import ListSpec
from crm.lists.state import ListState, read_state
from crm.users.http import Request


@dataclass(frozen=True)
class Selection:
    """The records of a bulk action; `everything` selects by filter, evaluated again when the action runs.

    `confirmed`: the record count that the user confirmed; None before confirmation.
    """

    state: ListState
    public_ids: list[str]
    everything: bool
    confirmed: int | None = None

    def rows(self) -> QuerySet:
        if self.everything:
            return self.state.rows().visible_to(self.state.by)
        return self.state.spec.kind.model.objects.visible_to(self.state.by).filter(public_id__in=self.public_ids)

    def ids(self) -> list[int]:
        return list(self.rows().order_by().values_list("pk", flat=True))

    def is_confirmed(self, count: int) -> bool:
        """Return whether the user confirmed this number of records. Ticked records need no confirmation."""
        return self.confirmed == count or (self.confirmed is None and not self.everything)

    def count(self) -> int:
        return count(self.state.rows(), self.state.by, exact=True) if self.everything else self.rows().count()


def selection(request: Request, spec: ListSpec) -> Selection:
    """Return the selection in the posted form. `query` carries the URL of its list."""
    state = read_state(request, spec, QueryDict(request.POST.get("query", "")))
    ticked, number = request.POST.getlist("selected")[:1000], request.POST.get("confirmed", "")
    confirmed = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None
    return Selection(state, ticked, request.POST.get("everything") == "1", confirmed)
