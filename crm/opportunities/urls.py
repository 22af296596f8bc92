"""Pages of opportunities."""

from django.urls import path

from contacts.urls import record_urls
from contacts.views import importing
from crm.lists.urls import list_urls
from crm.opportunities.views import board, moves, records

urlpatterns = [
    *list_urls("opportunity"),
    *record_urls("opportunity"),
    path("opportunity/board", board.board, name="opportunity_board"),
    path("opportunity/export", importing.export, {"entity": "opportunity"}, name="opportunity_export"),
    path("opportunity/<public_id:public_id>", records.opportunity_page, name="opportunity"),
    path("opportunity/<public_id:public_id>/<slug:verb>", moves.move, name="opportunity_move"),
]
