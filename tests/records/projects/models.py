"""Projects: a record type of an app unknown to the product."""

from functools import partial

from django.db import models
from django.db.models import Q

from crm.kit.ids import new_id
from crm.records.models import LIVE, Record
from tests.records.projects.axes import STATE


class Project(Record):
    """A commitment to a customer, with its cost limit."""

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "project"))
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, editable=False)
    budget = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=8, default="planned", editable=False)
    state_since = models.DateTimeField(editable=False)

    class Meta(Record.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                "workspace", "external_id", condition=LIVE & ~Q(external_id=""), name="project_external_id"
            ),
            models.CheckConstraint(condition=Q(state__in=[c.value for c in STATE.values]), name="project_state"),
        ]
        indexes = [models.Index(fields=["workspace", "name_key", "id"], name="project_by_name", condition=LIVE)]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/project/{self.public_id}"
