"""URLs of an entity's list, included by the app that owns the entity, and of undo."""

from django.urls import path

from crm.entities.registry import get
from crm.lists import undoing, views

undo_urls = [
    path("undo/<uuid:change>", undoing.undo_change, name="undo"),
    path("undo/<uuid:change>/progress", undoing.undo_progress, name="undo_progress"),
]


def list_urls(entity: str) -> list:
    at = get(entity).path
    routes = {
        "": (views.list_page, "list"),
        "/count": (views.exact_count, "count"),
        "/bulk": (views.bulk, "bulk"),
        "/filter": (views.add_filter, "filter"),
        "/narrow": (views.narrow, "narrow"),
        "/columns": (views.choose_columns, "columns"),
        "/view": (views.save, "save_view"),
    }
    paths = [
        path(f"{at}{suffix}", view, {"entity": entity}, name=f"{entity}_{name}")
        for suffix, (view, name) in routes.items()
    ]
    remove = path(f"{at}/view/<slug:slug>/delete", views.remove_view, {"entity": entity}, name=f"{entity}_delete_view")
    return [*paths, remove]
