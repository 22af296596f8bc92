"""Workflows, their versions, runs and step results."""

from functools import partial
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from crm.events.registry import UndeclaredEvent, event_type
from crm.kit.actor import Actor, Role
from crm.kit.ids import new_id
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Owned, Team
from crm.users.visibility import RecordManager, RecordQuerySet

# Values of Run.event for runs not started by a logged event.
STARTED_BY = {
    "by hand": _("Run manually"),  # not a text
    "schedule": _("Schedule"),
    "date": _("Date"),
    "webhook": _("Incoming webhook"),
}


class WorkflowQuerySet(WorkspaceQuerySet):
    """Workflows, visible only to admins."""

    def visible_to(self, by: Actor):
        return self if by.is_at_least(Role.ADMIN) else self.none()


class WorkflowManager(WorkspaceManager.from_queryset(WorkflowQuerySet)):  # type: ignore[misc]
    """`objects` of workflows."""


class Workflow(Owned):
    """An automation: its name, owner and active version.

    `checked_at`: its schedule or dates have been checked up to this time, initially its activation. `generation` counts
    its webhook secrets.
    """

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "flow"))
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(Membership, models.RESTRICT, related_name="+")
    enabled = models.BooleanField(default=False)
    paused_because = models.CharField(max_length=200, blank=True, default="")
    number = models.PositiveIntegerField(default=0)  # the active version
    generation = models.PositiveIntegerField(default=1)
    checked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    objects: ClassVar[WorkflowManager] = WorkflowManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("workflow")
        ordering = ["name", "pk"]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/settings/workflows/{self.public_id}/"

    @property
    def current(self) -> "WorkflowVersion":
        return self.versions.get(number=self.number)


class WorkflowVersion(Owned):
    """A workflow's definition, immutable, so that a run ends by the definition it began with.

    trigger: {kind, entity, …}; condition: in the condition language, by key; steps: [{kind, …}], in which a branch
    continues at its otherwise or end.
    """

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    trigger = models.JSONField()
    condition = models.TextField(blank=True)
    steps = models.JSONField()
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("workflow version")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="workflow_version_once")]

    def __str__(self):
        return gettext("Version {number}").format(number=self.number)

    @property
    def entity(self) -> str:
        return self.trigger["entity"]


class RunQuerySet(RecordQuerySet):
    """Runs, visible to the workflow's owner and managers."""

    def live(self):
        return self.all()

    def visible_to(self, by: Actor):
        return self if by.is_at_least(Role.MANAGER) else self.filter(owner=by.member_id)

    def editable(self, by: Actor) -> Q:
        return Q() if by.is_at_least(Role.MANAGER) else Q(owner=by.member_id)

    def of_record(self, entity: str, pk: Any):
        return self.filter(entity=entity, record_id=pk)


class RunManager(RecordManager.from_queryset(RunQuerySet)):  # type: ignore[misc]
    """`objects` of runs."""


class Run(Owned):
    """One run of a workflow on one record: its cause, position and result.

    `key` names the trigger (event:12); a workflow runs once per key. `cause` is the run that made the triggering
    change, `root` the key of the chain's first trigger. `position` is the next step, or the one it stopped at.
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        WAITING = "waiting", _("Waiting")  # until resume_at, or for a condition
        OUTWARD = "outward", _("Sending")  # an email or webhook is in progress
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Skipped")
        REFUSED = "refused", _("Blocked")  # by a rule or a stage requirement
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Canceled")

    OPEN = (Status.RUNNING, Status.WAITING, Status.OUTWARD)
    STOPPED = (Status.REFUSED, Status.FAILED)
    TONES: ClassVar[dict[str, str]] = {
        "running": "blue",
        "waiting": "violet",
        "outward": "blue",
        "done": "green",
        "skipped": "grey",
        "refused": "amber",
        "failed": "red",
        "cancelled": "grey",
    }
    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "run"))
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="runs", db_index=False)
    version = models.ForeignKey(WorkflowVersion, models.CASCADE, related_name="+", db_index=False)
    owner = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+", db_index=False)
    key = models.CharField(max_length=120)
    event = models.CharField(max_length=60, blank=True)
    seen = models.JSONField(default=dict)  # the trigger: the values before and after
    entity = models.CharField(max_length=40)
    record_id = models.BigIntegerField()
    cause = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+", db_index=False)
    root = models.CharField(max_length=120)
    depth = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    position = models.PositiveSmallIntegerField(default=0)
    resume_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True, default="")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    objects: ClassVar[RunManager] = RunManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("workflow run")
        constraints = [models.UniqueConstraint(fields=["workflow", "key"], name="run_once")]
        indexes = [
            models.Index(fields=["workflow", "-started_at", "-id"], name="run_log"),
            models.Index(fields=["workspace", "entity", "record_id", "-started_at"], name="run_record"),
            models.Index(fields=["workspace", "resume_at"], name="run_waiting", condition=Q(resume_at__isnull=False)),
            models.Index(fields=["workspace", "finished_at"], name="run_failed", condition=Q(status="failed")),
            models.Index(fields=["workspace", "root"], name="run_chain"),
        ]

    def __str__(self):
        return gettext("{workflow}, run {id}").format(workflow=self.workflow, id=self.public_id.partition("_")[2])

    def get_absolute_url(self):
        return f"/settings/workflows/runs/{self.public_id}/"

    @property
    def tone(self) -> str:
        return self.TONES[self.status]

    @property
    def began_by(self) -> str:
        if self.event in STARTED_BY:
            return STARTED_BY[self.event]
        try:
            return str(event_type(self.event).label)
        except UndeclaredEvent:  # of an app that was removed
            return self.event

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def is_stopped(self) -> bool:
        return self.status in self.STOPPED


class StepRun(Owned):
    """One step of a run: what it saw, decided and changed; `change` covers its entries and their consequences."""

    class Status(models.TextChoices):
        TRYING = "trying", _("In progress")
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Blocked")
        FAILED = "failed", _("Failed")

    run = models.ForeignKey(Run, models.CASCADE, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=Status.choices)
    seen = models.JSONField(default=dict)
    decided = models.TextField(blank=True)
    change = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True, default="")
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        abstract = False
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="step_run_once")]
        indexes = [models.Index(F("change"), name="step_run_change", condition=Q(change__isnull=False))]

    def __str__(self):
        return f"{self.kind} at {self.position}"  # not a text

    @property
    def tone(self) -> str:
        return Run.TONES.get(self.status, "blue")


class Release(Owned):
    """An import for which an admin released the held workflows; `last` is the last entry processed."""

    change = models.UUIDField()
    last = models.BigIntegerField(default=0)
    started = models.PositiveIntegerField(default=0)
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("release of held workflows")
        constraints = [models.UniqueConstraint(fields=["workspace", "change"], name="release_once")]

    def __str__(self):
        return f"release of {self.change}"  # not a text
