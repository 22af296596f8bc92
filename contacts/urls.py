"""Pages of contacts, companies and activities."""

from django.urls import path, register_converter

from contacts.views import activities, home, importing, merging, moves, options, records, suppressing
from crm.entities.registry import get
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
    """What the records of every kind have alike, below the path of their entity."""
    options, below = {"entity": entity}, get(entity).path
    one = f"{below}/<public_id:public_id>"
    return [
        path(f"{below}/new", records.new, options, name=f"{entity}_new"),
        path(f"{one}/edit", records.change, options, name=f"{entity}_edit"),
        path(f"{one}/field/<slug:key>", records.change_field, options, name=f"{entity}_field"),
        path(f"{one}/timeline", records.more_timeline, options, name=f"{entity}_timeline"),
        path(f"{one}/activity", activities.add, options, name=f"{entity}_activity"),
        path(f"{one}/delete", records.trash, options, name=f"{entity}_delete"),
        path(f"{one}/restore", records.take_out, options, name=f"{entity}_restore"),
    ]


def file_urls(entity: str) -> list:
    """How files of an entity's records come in and go out."""
    options = {"entity": entity}
    run = f"{entity}/import/<public_id:public_id>"
    return [
        path(f"{entity}/import", importing.upload, options, name=f"{entity}_import"),
        path(run, importing.run_page, options, name=f"{entity}_import_run"),
        path(f"{run}/refused", importing.refused_rows, options, name=f"{entity}_import_refused"),
        path(f"{entity}/export", importing.export, options, name=f"{entity}_export"),
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
    *file_urls("contact"),
    path("contact/<public_id:public_id>", records.contact_page, name="contact"),
    path("company/<public_id:public_id>", records.company_page, name="company"),
    path("contact/<public_id:public_id>/avatar", records.avatar, name="contact_avatar"),
    path("contact/<public_id:public_id>/merge", merging.merge_page, name="contact_merge"),
    path("contact/<public_id:public_id>/suppression", suppressing.lift_page, name="contact_suppression"),
    path("contact/<public_id:public_id>/<slug:verb>", moves.move, name="contact_move"),
    path("activity/<public_id:public_id>/complete", activities.finish, name="activity_complete"),
    path("activity/<public_id:public_id>/edit", activities.change_activity, name="activity_edit"),
    path("activity/<public_id:public_id>/delete", activities.remove, name="activity_delete"),
]
