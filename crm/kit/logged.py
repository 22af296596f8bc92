"""Log rows: they hold ids instead of foreign keys, so that they never block the objects they name."""

from django.db import models

from crm.kit.scope import WorkspaceManager


class Logged(models.Model):
    """A log row of one workspace, reached only with that workspace in scope."""

    workspace_id = models.BigIntegerField()
    objects = WorkspaceManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
