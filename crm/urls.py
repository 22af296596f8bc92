from django.contrib import admin
from django.urls import include, path

from crm.kit.health import healthz

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
]
