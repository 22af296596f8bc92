"""URLs of stage definitions."""

from django.urls import path

from crm.lifecycle import views

urlpatterns = [
    path("lifecycle", views.overview, name="lifecycle"),
    path("lifecycle/<slug:entity>/<slug:axis>/<slug:value>", views.definition_page, name="stage_definition"),
    path("lifecycle/<slug:entity>/<slug:axis>/of/<slug:public_id>", views.why, name="stage_why"),
    path("lifecycle/<slug:entity>/wait/<slug:public_id>/until", views.wait_page, name="wait"),
]
