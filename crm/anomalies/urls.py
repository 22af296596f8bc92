"""Pages of exceptions."""

from django.urls import path

from crm.anomalies import views

urlpatterns = [
    path("exceptions", views.exceptions, name="exceptions"),
    path("exceptions/<slug:kind>/<public_id:public_id>/waive", views.waive_page, name="exception_waive"),
    path("exceptions/<slug:kind>/<public_id:public_id>/list", views.end_waiver, name="exception_list_again"),
]
