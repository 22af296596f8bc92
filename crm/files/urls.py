"""URLs of files, and of the files of a record."""

from django.urls import URLPattern, path

from crm.files import views
from crm.files.models import OWNERS
from crm.records.registry import RECORD_TYPES


def _record_files(entity: str) -> URLPattern:
    kinds = {kind.entity.name for kind in RECORD_TYPES.values()}
    place = RECORD_TYPES[entity].entity.path if entity in kinds else entity
    route = f"{place}/<public_id:public_id>/files"
    return path(route, views.record_files, {"entity": entity}, name=f"{entity}_files")


urlpatterns = [
    *map(_record_files, OWNERS),
    path("file/<public_id:public_id>", views.attachment, name="attachment"),
    path("file/<public_id:public_id>/download", views.content, {"inline": False}, name="attachment_download"),
    path("file/<public_id:public_id>/preview", views.content, {"inline": True}, name="attachment_preview"),
    path("file/<public_id:public_id>/delete", views.remove, name="attachment_delete"),
    path("settings/files/", views.file_settings, name="file_settings"),
]
