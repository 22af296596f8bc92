"""Pages of contacts, companies and activities."""

from django.urls import path, register_converter

from contacts.views import activities, home, importing, merging, moves, options, records
from crm.lists.urls import list_urls, undo_urls


class PublicId:
    """contact_fX9bL5nRd and its like."""

    regex = "[a-z]+_[A-Za-z0-9]{9}"

    def to_python(self, value: str) -> str:
        """As it stands in the URL."""
        return value

    to_url = to_python


register_converter(PublicId, "public_id")


def record_urls(entity: str) -> list:
    """What the records of every kind have alike."""
    options = {"entity": entity}
    return [
        path(f"{entity}/new", records.new, options, name=f"{entity}_new"),
        path(f"{entity}/<public_id:public_id>/edit", records.change, options, name=f"{entity}_edit"),
        path(f"{entity}/<public_id:public_id>/field/<slug:key>", records.change_field, options, name=f"{entity}_field"),
        path(f"{entity}/<public_id:public_id>/timeline", records.more_timeline, options, name=f"{entity}_timeline"),
        path(f"{entity}/<public_id:public_id>/activity", activities.add, options, name=f"{entity}_activity"),
        path(f"{entity}/<public_id:public_id>/delete", records.trash, options, name=f"{entity}_delete"),
        path(f"{entity}/<public_id:public_id>/restore", records.take_out, options, name=f"{entity}_restore"),
    ]


urlpatterns = [
    path("", home.my_day, name="home"),
    path("search", home.search_page, name="search"),
    *undo_urls,
    *list_urls("contact"),
    *list_urls("company"),
    *record_urls("contact"),
    *record_urls("company"),
    path("contact/options", options.options, name="options"),
    path("contact/import", importing.upload, name="contact_import"),
    path("contact/import/<public_id:public_id>", importing.run_page, name="contact_import_run"),
    path("contact/import/<public_id:public_id>/refused", importing.refused_rows, name="contact_import_refused"),
    path("contact/export", importing.export, {"entity": "contact"}, name="contact_export"),
    path("contact/<public_id:public_id>", records.contact_page, name="contact"),
    path("company/<public_id:public_id>", records.company_page, name="company"),
    path("contact/<public_id:public_id>/avatar", records.avatar, name="contact_avatar"),
    path("contact/<public_id:public_id>/merge", merging.merge_page, name="contact_merge"),
    path("contact/<public_id:public_id>/<slug:verb>", moves.move, name="contact_move"),
    path("activity/<public_id:public_id>/complete", activities.finish, name="activity_complete"),
    path("activity/<public_id:public_id>/edit", activities.change_activity, name="activity_edit"),
    path("activity/<public_id:public_id>/delete", activities.remove, name="activity_delete"),
]
