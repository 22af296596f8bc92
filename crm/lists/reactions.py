"""What follows from what happens elsewhere: undone imports; and the saved views that every page's sidebar asks for."""

from crm.kit.nav import register_fact
from crm.lists.imports import undone  # noqa: F401
from crm.lists.state import saved_views

register_fact("saved_views", saved_views)
