"""The records that an action is about: those ticked, or every one that the list's URL matches."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import QueryDict

from crm.lists.paging import count
from crm.lists.spec import ListSpec
from crm.lists.state import ListState, read_state
from crm.users.http import Request
from crm.users.visibility import visible


@dataclass(frozen=True)
class Selection:
    """`everything`: the filter itself is the selection, and is run again when the action is.

    `confirmed`: how many records the person was told when they confirmed; None before they did.
    """

    state: ListState
    public_ids: list[str]
    everything: bool
    confirmed: int | None = None

    def rows(self) -> QuerySet:
        if self.everything:
            return self.state.rows().filter(visible(self.state.by))
        return self.state.spec.kind.model.objects.visible_to(self.state.by).filter(public_id__in=self.public_ids)

    def ids(self) -> list[int]:
        return list(self.rows().order_by().values_list("pk", flat=True))

    def is_confirmed(self, count: int) -> bool:
        """Whether the person has confirmed this number of records. Those ticked one by one need no number."""
        return self.confirmed == count or (self.confirmed is None and not self.everything)

    def count(self) -> int:
        return count(self.state.rows(), self.state.by, exact=True) if self.everything else self.rows().count()


def selection(request: Request, spec: ListSpec) -> Selection:
    """What the posted form selects. `query` carries the URL of the list that it stood on."""
    state = read_state(request, spec, QueryDict(request.POST.get("query", "")))
    ticked, number = request.POST.getlist("selected")[:1000], request.POST.get("confirmed", "")
    confirmed = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None
    return Selection(state, ticked, request.POST.get("everything") == "1", confirmed)
