"""The name of the workflow that made a change, for timelines."""

from django.db.models import F, OuterRef, QuerySet

from contacts.hooks import on_author
from crm.workflows.models import StepRun


@on_author
def named() -> QuerySet:
    """As contacts.hooks.on_author() asks for it: the name of the workflow whose step made OuterRef("change")."""
    return StepRun.objects.filter(change=OuterRef("change")).values(called=F("run__workflow__name"))[:1]
