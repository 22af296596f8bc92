"""Pages of old leads, below /lead."""

from django.urls import path

from contacts.urls import record_urls
from contacts.views import importing
from crm.lists.urls import list_urls
from leads.legacy import migration_views, views

ENTITY = {"entity": "legacy_lead"}

urlpatterns = [
    path("lead/archive", views.stayed_leads, name="stayed_leads"),
    path("settings/lead-migration/", migration_views.migration, name="lead_migration"),
    path("settings/lead-migration/plan.csv", migration_views.plan_file, name="lead_migration_plan"),
    path("settings/lead-migration/report.csv", migration_views.report_file, name="lead_migration_report"),
    path("settings/lead-migration/<str:action>/", migration_views.act, name="lead_migration_act"),
] + [
    views.while_open(route)
    for route in (
        *list_urls("legacy_lead"),
        *record_urls("legacy_lead"),
        path("lead/export", importing.export, ENTITY, name="legacy_lead_export"),
        path("lead/<public_id:public_id>", views.legacy_lead_page, name="legacy_lead"),
    )
]
