"""Pages of old leads, below /lead."""

from django.urls import path

from contacts.urls import record_urls
from contacts.views import importing
from crm.lists.urls import list_urls
from leads.legacy import views

ENTITY = {"entity": "legacy_lead"}

urlpatterns = [
    views.while_open(route)
    for route in (
        *list_urls("legacy_lead"),
        *record_urls("legacy_lead"),
        path("lead/export", importing.export, ENTITY, name="legacy_lead_export"),
        path("lead/<public_id:public_id>", views.legacy_lead_page, name="legacy_lead"),
    )
]
