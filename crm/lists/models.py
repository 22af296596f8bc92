"""Saved views and import runs of lists."""

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
    """A named condition with columns and sort, of one member or (no member) shared with the workspace.

    A member's view replaces another view with the same slug: so views remember a member's columns.
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
        verbose_name = _("saved view")
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
    """How an import treats an existing record: update, fill in blanks or skip."""

    UPDATE = "update", _("Update – overwrite with values from the file")
    FILL = "fill", _("Fill in blanks – only update empty fields")
    SKIP = "skip", _("Skip – don’t change existing records")


SILENCE = timedelta(minutes=2)  # after which a run in progress counts as killed: a batch takes a second


class ImportRun(Owned):
    """An import of one file: its mapping, progress and result.

    `line` is the last row written, with its batch: after a crash the counts match what was written, and importing the
    file again adds the rest. `change` is the change to undo. `seen_at` is the last sign of life; a killed process
    cannot record that it stopped.
    """

    class State(models.TextChoices):
        READY = "ready", _("Draft")
        TRYING = "trying", _("Preview running")
        PREVIEWED = "previewed", _("Preview ready")
        RUNNING = "running", _("Running")
        DONE = "done", _("Imported")
        STOPPED = "stopped", _("Stopped")

    OPEN = (State.READY, State.PREVIEWED)
    UNWRITTEN = (*OPEN, State.TRYING)  # nothing imported yet
    SILENT = {State.RUNNING: State.STOPPED, State.TRYING: State.READY}
    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "import"))
    entity = models.CharField(max_length=40)
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")  # null: the system
    file_name = models.CharField(max_length=200)
    file = models.FileField(upload_to="imports", blank=True)  # kept until the upload is imported
    header = models.JSONField(default=list)
    mapping = models.JSONField(default=list)  # [column, path] pairs
    on_match = models.CharField(max_length=6, choices=OnMatch.choices, default=OnMatch.UPDATE)
    override_reason = models.TextField(blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.READY)
    line = models.PositiveIntegerField(default=0)  # in the file; the header is line 1
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
        """Return the run's page: its mapping, preview or report."""
        return f"/{self.entity}/import/{self.public_id}"

    @property
    def present_state(self) -> "ImportRun.State":
        """The state; for a run in progress that went silent, its state when it stopped."""
        state = self.State(self.state)
        silent = self.seen_at is None or self.seen_at < timezone.now() - SILENCE
        return self.SILENT.get(state, state) if silent else state


class ImportRefusal(Owned):
    """A rejected row, with the reason."""

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
    """An undo of a large change and its progress. Its own entries have `own_change`, so the undo can be undone.

    `total` and `done` count contacts, plus records without a contact. After those come passes over records kept because
    of other records; `in_pass` counts the entries that the current pass reverted.
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
    """A record that an undo kept, with the reason."""

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
