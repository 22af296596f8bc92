"""URLs of the dashboard."""

from django.urls import path

from crm.dashboards import views

urlpatterns = [
    path("dashboard", views.dashboard, name="dashboard"),
    path("dashboard/arrange", views.arrange_page, name="dashboard_arrange"),
    path("dashboard/mail", views.mail_page, name="dashboard_mail"),
    path("dashboard/part/<slug:name>", views.part, name="dashboard_part"),
    path("dashboard/part/<slug:name>/<slug:table>.csv", views.table, name="dashboard_table"),
]
