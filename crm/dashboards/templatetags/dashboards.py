"""Filters of the dashboard's pages and mails: `{% load dashboards %}`."""

from django import template

register = template.Library()


@register.filter
def unlocal(number: float) -> str:
    """A number as SVG and CSS read it, whatever the language."""
    return f"{number:g}"


@register.filter
def named(values: dict, key: str) -> str:
    return values.get(key, "")


@register.filter
def rest(share: float) -> str:
    return f"{100 - share:g}"
