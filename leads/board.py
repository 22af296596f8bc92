"""The board of leads: a column per status, each in work order."""

from django.urls import reverse

from crm.kit.actor import Actor
from crm.lifecycle.axes import Move
from crm.lists.board import Board, CardMove
from crm.lists.paging import Sort
from leads.axes import OPEN, STATUS
from leads.models import Lead
from leads.work_order import WORK_ORDER

ASKING = {"lose", "reactivate", "convert"}  # moves whose page has a form


def steps(lead: Lead, by: Actor) -> list[CardMove]:
    """Return the allowed moves by the verbs of the status; convert only if the lead is ready."""
    found = [move for move in STATUS.moves_from(lead.status) if not move.by_rule and by.is_at_least(move.role)]
    return [_step(lead, move) for move in found if move.verb != "convert" or lead.stage == "sales_qualified"]


def _step(lead: Lead, move: Move) -> CardMove:
    name, *verb = ("lead_convert",) if move.verb == "convert" else ("lead_move", move.verb)
    url = reverse(name, args=[lead.public_id, *verb])
    return CardMove(move.target, STATUS.value(move.target).label, url, move.verb in ASKING)


BOARD = Board(
    entity="lead",
    axis=STATUS,
    sort=Sort(WORK_ORDER, descending=False),
    open_values=OPEN,
    related=("contact__company", "owner__user", "score"),
    steps=steps,
    card="leads/card.html",
)
