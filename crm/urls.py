from django.contrib import admin
from django.urls import include, path, register_converter

from crm.events.health import metrics, readyz
from crm.kit.health import healthz
from crm.kit.ids import PublicId
from crm.kit.views import csp_report

register_converter(PublicId, "public_id")

handler400 = "crm.kit.views.bad_request"
handler403 = "crm.kit.views.permission_denied"
handler404 = "crm.kit.views.not_found"
handler429 = "crm.kit.views.too_many_requests"
handler500 = "crm.kit.views.server_error"

urlpatterns = [
    path("", include("contacts.urls")),
    path("", include("crm.campaigns.urls")),
    path("", include("crm.opportunities.urls")),
    path("", include("crm.files.urls")),
    path("", include("leads.urls")),
    path("", include("crm.dashboards.urls")),
    path("", include("crm.anomalies.urls")),
    path("", include("crm.lifecycle.urls")),
    path("", include("crm.notifications.urls")),
    path("", include("crm.workflows.urls")),
    path("", include("crm.users.urls")),
    path("", include("crm.entities.urls")),
    path("", include("crm.records.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("accounts/", include("crm.users.oidc.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("csp-report", csp_report, name="csp_report"),
]
