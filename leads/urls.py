"""Pages of leads: below /qualification, for /lead is the retired workspace's."""

from django.urls import path

from contacts.urls import record_urls
from contacts.views import importing
from crm.lists.board import board_page
from crm.lists.urls import list_urls
from leads.views import moves, records, scores, settings, workbench

urlpatterns = [
    *list_urls("lead"),
    path("qualification/board", board_page, {"entity": "lead"}, name="lead_board"),
    path("qualification/export", importing.export, {"entity": "lead"}, name="lead_export"),
    path("settings/assignment/", settings.assignment, name="assignment"),
    path("settings/assignment/new/", settings.rule, name="assignment_rule_new"),
    path("settings/assignment/<int:pk>/", settings.rule, name="assignment_rule"),
    path("settings/first-contact/", settings.first_contact, name="first_contact"),
    *record_urls("lead"),
    path("qualification/<public_id:public_id>", records.lead_page, name="lead"),
    path("qualification/<public_id:public_id>/convert", moves.convert_page, name="lead_convert"),
    path("qualification/<public_id:public_id>/move/<slug:verb>", moves.move, name="lead_move"),
    path("qualification/model", workbench.scoring_model, name="scoring_model"),
    path("qualification/<public_id:public_id>/score", scores.lead_score, name="lead_score"),
]
