"""Filters for dashboard pages and emails: `{% load dashboards %}`."""

from django import template

register = template.Library()


@register.filter
def unlocal(number: float) -> str:
    """Format a number for SVG and CSS, in any language."""
    return f"{number:g}"


@register.filter
def named(values: dict, key: str) -> str:
    return values.get(key, "")


@register.filter
def rest(share: float) -> str:
    return f"{100 - share:g}"
