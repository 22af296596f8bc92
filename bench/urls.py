"""The product's URLs, and a signed-in page with nothing on it: what Django itself costs."""

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [path("bench/empty", lambda request: HttpResponse()), path("", include("crm.urls"))]
