"""Views of a list that people have saved."""

from django.db import models
from django.db.models import Q

from crm.users.models import Membership, Owned


class SavedView(Owned):
    """A name for a condition, the columns to show and their order: of one member, or (no member) of the workspace.

    A member's view with the slug of another view stands in its place: that is how a view remembers their columns.
    """

    entity = models.CharField(max_length=40)
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=60)
    condition = models.TextField(blank=True)
    columns = models.JSONField(default=list, blank=True)
    sort = models.CharField(max_length=60, blank=True)
    member = models.ForeignKey(Membership, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(Owned.Meta):
        abstract = False
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("workspace", "entity", "slug", "member", name="saved_view_of_member"),
            models.UniqueConstraint(
                "workspace", "entity", "slug", condition=Q(member__isnull=True), name="saved_view_of_workspace"
            ),
        ]

    def __str__(self):
        return self.name
