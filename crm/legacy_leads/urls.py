"""URLs of legacy leads, beyond those of all record types: archive and migration."""

from django.urls import path

from crm.legacy_leads import migration_views, views

urlpatterns = [
    path("lead/archive", views.unmigrated_list, name="stayed_leads"),
    path("settings/lead-migration/", migration_views.migration_page, name="lead_migration"),
    path("settings/lead-migration/plan.csv", migration_views.plan_file, name="lead_migration_plan"),
    path("settings/lead-migration/report.csv", migration_views.report_file, name="lead_migration_report"),
    path("settings/lead-migration/<str:action>/", migration_views.migration_action, name="lead_migration_act"),
]
