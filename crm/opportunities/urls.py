from django.urls import path

from crm.opportunities import views

urlpatterns = [
    path("opportunity/<public_id:public_id>/people", views.add_person_page, name="opportunity_people"),
    path("opportunity/<public_id:public_id>/people/<int:pk>", views.person_page, name="opportunity_person"),
    path("settings/pipelines/", views.pipeline_list, name="pipelines"),
    path("settings/pipelines/<slug:key>/", views.pipeline_page, name="pipeline"),
    path("settings/pipelines/<slug:key>/archive/", views.archive_pipeline_page, name="archive_pipeline"),
    path("settings/pipelines/<slug:key>/restore/", views.restore_pipeline_page, name="restore_pipeline"),
    path("settings/pipelines/<slug:key>/<slug:stage>/archive/", views.archive_stage_page, name="archive_stage"),
    path("settings/pipelines/<slug:key>/<slug:stage>/restore/", views.restore_stage_page, name="restore_stage"),
]
