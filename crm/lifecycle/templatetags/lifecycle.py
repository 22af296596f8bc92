"""Tags of explained conditions: `{% load lifecycle %}`."""

from django import template

from crm.conditions.explain import LeafResult
from crm.entities.display import shown_alone
from crm.kit.translation import gettext

register = template.Library()


@register.filter
def leaf_value(leaf: LeafResult) -> str:
    """The value of a line of an explanation, as the reader writes it: 28 Nov 2026, 15:26; Decision maker; empty."""
    if leaf.value is None or leaf.value == "":
        return gettext("empty")
    return shown_alone(leaf.field, leaf.value) if leaf.field else str(leaf.value)
