"""URLs of leads, beyond those of all record types."""

from django.urls import path

from leads.views import conversion, scores, settings, workbench

urlpatterns = [
    path("settings/assignment/", settings.assignment, name="assignment"),
    path("settings/assignment/new/", settings.rule, name="assignment_rule_new"),
    path("settings/assignment/<int:pk>/", settings.rule, name="assignment_rule"),
    path("settings/first-contact/", settings.first_contact, name="first_contact"),
    path("qualification/model", workbench.scoring_model, name="scoring_model"),
    path("qualification/<public_id:public_id>/convert", conversion.convert_page, name="lead_convert"),
    path("qualification/<public_id:public_id>/score", scores.lead_score, name="lead_score"),
]
