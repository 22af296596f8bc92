"""Files on record pages: the panel, the timeline, and below activities."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db.models import Case, F, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Concat
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from contacts.hooks import on_activities, on_timeline
from contacts.models import Activity
from crm.entities.registry import entity_of
from crm.files.models import OWNERS, PRESENT, Attachment
from crm.kit.actor import Actor
from crm.kit.sql import array_param
from crm.users.http import Request
from crm.users.visibility import may_edit

SHOWN = 8  # files in a panel


def may_attach(record: Any, by: Actor) -> bool:
    """Return whether the actor may attach files to the record; to an activity as to what it is about."""
    return record.deleted_at is None and may_edit(record.about if isinstance(record, Activity) else record, by)


def upload_context(record: Any, by: Actor) -> dict[str, Any]:
    """Return the context of templates/files/upload.html."""
    return {
        "record": record,
        "entity": entity_of(type(record)),
        "may_attach": may_attach(record, by),
        "most": settings.FILE_MAX_SIZE,
    }


def files_panel(record: Any, request: Request) -> SafeString:
    """Show a record's newest files, and the form that attaches more."""
    entity = entity_of(type(record))
    rows = list(Attachment.objects.of(entity, record).select_related("uploader__user")[: SHOWN + 1])
    context = upload_context(record, request.actor) | {"rows": rows[:SHOWN], "more": len(rows) > SHOWN}
    return render_to_string("files/panel.html", context, request)


def names_for_timeline(by: Actor) -> QuerySet:
    """Return "public id, name" for contacts.hooks.show_in_contact_timeline(); no id of deleted files."""
    public_id = Case(When(PRESENT, then=F("public_id")), default=Value(""), output_field=TextField())
    name = Concat(public_id, Value(" "), F("name"), output_field=TextField())
    return Attachment.objects.visible_to(by).filter(pk=OuterRef("entity_id")).values(told=name)


@on_timeline
def file_entries(entity: str, pk: Any, by: Actor) -> Q:
    """Return the entries of a record's own files, for its timeline."""
    own = Attachment.objects.filter(**{entity: pk}) if entity in OWNERS else Attachment.objects.none()
    return Q(entity="attachment", entity_id__in=own.values("pk"))


@on_activities
def files_of_activities(activities: Collection[int], by: Actor) -> Mapping[int, SafeString]:
    """Return the files of activities as HTML, for timelines whose reader sees the activities."""
    found: defaultdict[int, list[Attachment]] = defaultdict(list)
    for row in Attachment.objects.live().filter(activity__pk__any_of=array_param(list(activities))).order_by("pk"):
        found[row.activity_id or 0].append(row)
    return {pk: render_to_string("files/of_activity.html", {"rows": rows}) for pk, rows in found.items()}
