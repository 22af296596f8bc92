from django.urls import path

from crm.entities import views

urlpatterns = [
    path("settings/fields/", views.fields, name="fields"),
    path("settings/fields/new/", views.field, name="field_new"),
    path("settings/fields/<int:pk>/", views.field, name="field"),
    path("settings/fields/<int:pk>/convert/", views.convert_field, name="convert_field"),
    path("settings/fields/<int:pk>/archive/", views.archive_field, name="archive_field"),
    path("settings/fields/<int:pk>/restore/", views.restore_field, name="restore_field"),
]
