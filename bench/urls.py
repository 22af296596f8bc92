"""The product's URLs, and an empty signed-in page: Django's own cost."""

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [path("bench/empty", lambda request: HttpResponse()), path("", include("crm.urls"))]
