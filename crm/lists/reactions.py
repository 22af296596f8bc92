"""Reactions to undone imports, and the saved views in every page's sidebar."""

from crm.kit.nav import register_fact
from crm.lists.imports import undone  # noqa: F401
from crm.lists.state import saved_views

register_fact("saved_views", saved_views)
