"""Reactions of this app. Scores first, because later ones read them."""

from crm.events.reactions import reacts_to
from crm.lists.imports.registry import Relation, relate
from leads import campaigns, contact_reactions, merging, open_leads, undone  # noqa: F401
from leads.imports.contacts import NOTE, write_leads
from leads.imports.history import opening_leads
from leads.scoring import jobs, reactions  # noqa: F401
from leads.scoring.current import install_shipped

relate("contact", Relation("lead", "lead", write_leads, note=NOTE, creating=opening_leads))


@reacts_to("workspace.created")
def install_model(workspaces, by) -> None:
    """Give every new workspace the default scoring model."""
    install_shipped()
