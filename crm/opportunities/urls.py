"""Pages of opportunities."""

from django.urls import path

from contacts.urls import file_urls, record_urls
from crm.lists.board import board_page
from crm.lists.urls import list_urls
from crm.opportunities.views import moves, records

urlpatterns = [
    *list_urls("opportunity"),
    *record_urls("opportunity"),
    path("opportunity/board", board_page, {"entity": "opportunity"}, name="opportunity_board"),
    *file_urls("opportunity"),
    path("opportunity/<public_id:public_id>", records.opportunity_page, name="opportunity"),
    path("opportunity/<public_id:public_id>/<slug:verb>", moves.move, name="opportunity_move"),
]
