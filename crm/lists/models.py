"""Views of a list that people have saved, and the files they have imported into it."""

import uuid
from datetime import timedelta
from functools import partial

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.kit.ids import new_id
from crm.kit.translation import gettext_lazy as _
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


class OnMatch(models.TextChoices):
    """What an import does with a record that is there already."""

    UPDATE = "update", _("Update – overwrite with values from the file")
    FILL = "fill", _("Fill in blanks – only update empty fields")
    SKIP = "skip", _("Skip – don’t change existing records")


SILENCE = timedelta(minutes=2)  # after which a run under way counts as killed: a batch takes a second


class ImportRun(Owned):
    """One file on its way in: how it is read, how far it has come and what came of it.

    A row stands in `line` with its first one, and counts with the batch that it was written in: after a crash the
    run says exactly what is there, and to import the file again brings the rest. `change` is what to undo.
    `seen_at`: when it last gave a sign of life; a process that is killed cannot write that it stopped.
    """

    class State(models.TextChoices):
        READY = "ready", _("Draft")
        TRYING = "trying", _("Preview running")
        PREVIEWED = "previewed", _("Preview ready")
        RUNNING = "running", _("Running")
        DONE = "done", _("Imported")
        STOPPED = "stopped", _("Stopped")

    OPEN = (State.READY, State.PREVIEWED)
    UNWRITTEN = (*OPEN, State.TRYING)  # nothing of the file is there
    SILENT = {State.RUNNING: State.STOPPED, State.TRYING: State.READY}
    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "import"))
    entity = models.CharField(max_length=40)
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")  # null: the system
    file_name = models.CharField(max_length=200)
    file = models.FileField(upload_to="imports", blank=True)  # of an upload, until it is imported
    header = models.JSONField(default=list)
    mapping = models.JSONField(default=list)  # [column, path] pairs
    on_match = models.CharField(max_length=6, choices=OnMatch.choices, default=OnMatch.UPDATE)
    override_reason = models.TextField(blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.READY)
    line = models.PositiveIntegerField(default=0)  # of the file, the header being 1
    rows = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=list)
    change = models.UUIDField(default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        abstract = False
        ordering = ["-pk"]
        indexes = [models.Index(fields=["workspace", "change"], name="import_change")]

    def __str__(self):
        return self.file_name

    def get_absolute_url(self):
        """The run's page: its mapping, preview or report."""
        return f"/{self.entity}/import/{self.public_id}"

    @property
    def present_state(self) -> "ImportRun.State":
        """The state; for a run that says it is under way and has been silent, the one it was left in."""
        state = self.State(self.state)
        silent = self.seen_at is None or self.seen_at < timezone.now() - SILENCE
        return self.SILENT.get(state, state) if silent else state


class ImportRefusal(Owned):
    """A row that was not imported, and why."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="refusals")
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=200, blank=True)  # '' for the row as a whole
    message = models.TextField()
    cells = models.JSONField(default=list)

    class Meta(Owned.Meta):
        abstract = False
        ordering = ["line"]

    def __str__(self):
        return f"line {self.line}: {self.message}"


class UndoRun(Owned):
    """The undo of a large change: what it has come to. Its own entries have `own_change`, so that it can be undone too.

    `total` and `done` count contacts, and records that belong to no contact. After all of them come passes over what
    was kept because of other records; `in_pass` counts the entries that the present pass reverted.
    """

    change = models.UUIDField()
    own_change = models.UUIDField()
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")  # null: the system
    channel = models.CharField(max_length=10)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    reverted = models.PositiveIntegerField(default=0)
    pass_number = models.PositiveIntegerField(default=0)
    in_pass = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        abstract = False
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                "workspace", "change", condition=Q(finished_at__isnull=True), name="undo_run_one_open"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "change"], name="undo_run_change")]

    def __str__(self):
        return f"{self.done} of {self.total}"

    @property
    def percent(self) -> int:
        return 100 if self.finished_at else min(99, 100 * self.done // max(self.total, 1))


class UndoKept(Owned):
    """A record of which an undo kept something, and why."""

    run = models.ForeignKey(UndoRun, models.CASCADE, related_name="kept")
    entity = models.CharField(max_length=40)
    record_id = models.BigIntegerField()
    person = models.BigIntegerField(null=True)  # the contact it is undone with
    why = models.TextField()
    pass_number = models.PositiveIntegerField(default=0)

    class Meta(Owned.Meta):
        abstract = False
        ordering = ["pk"]
        indexes = [models.Index(fields=["run", "person"], name="undo_kept_person")]

    def __str__(self):
        return f"{self.entity} {self.record_id}: {self.why}"
