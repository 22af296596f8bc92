"""URLs of contacts, companies and activities, beyond those of all record types."""

from django.urls import path

from contacts.views import activities, addresses, avatars, free_mail, home, merging, suppressing
from crm.lists.urls import list_urls, undo_urls
from crm.records.registry import RECORD_TYPES, RecordType
from crm.records.views.importing import export


def activity_url(kind: RecordType):
    """Return the URL pattern for logging an activity on a record's page."""
    name, route = kind.entity.name, f"{kind.entity.path}/<public_id:public_id>/activity"
    return kind.gate(path(route, activities.add_activity, {"entity": name}, name=f"{name}_activity"))


def merge_url(entity: str):
    """Return the URL pattern for merging a record with its duplicate."""
    return path(f"{entity}/<public_id:public_id>/merge", merging.merge_page, {"entity": entity}, f"{entity}_merge")


urlpatterns = [
    path("", home.my_day, name="home"),
    path("search", home.search_page, name="search"),
    *undo_urls,
    *(activity_url(kind) for kind in RECORD_TYPES.values() if kind.about),
    path("contact/<public_id:public_id>/avatar", avatars.avatar, name="contact_avatar"),
    path("contact/<public_id:public_id>/primary", addresses.change_primary, name="contact_primary"),
    *(merge_url(entity) for entity in merging.MERGEABLE),
    path("contact/<public_id:public_id>/suppression", suppressing.lift_suppression_page, name="contact_suppression"),
    path("settings/free-mail/", free_mail.free_mail, name="free_mail"),
    *list_urls("activity"),
    path("activity/export", export, {"entity": "activity"}, name="activity_export"),
    path("activity/new", activities.new_activity, name="activity_new"),
    path("activity/<public_id:public_id>", activities.activity_page, name="activity"),
    path("activity/<public_id:public_id>/participants", activities.add_participant, name="activity_participants"),
    path(
        "activity/<public_id:public_id>/participants/<int:pk>/remove",
        activities.remove_participant,
        name="activity_participant_remove",
    ),
    path("activity/<public_id:public_id>/complete", activities.finish_activity, name="activity_complete"),
    path("activity/<public_id:public_id>/edit", activities.change_activity, name="activity_edit"),
    path("activity/<public_id:public_id>/delete", activities.remove, name="activity_delete"),
]
