"""Rows that tell what happened: they hold ids rather than foreign keys, so nothing they name can be blocked by them."""

from django.db import models

from crm.kit.scope import WorkspaceManager


class Logged(models.Model):
    """A row of a log, of one workspace, reached only with that workspace in scope."""

    workspace_id = models.BigIntegerField()
    objects = WorkspaceManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
