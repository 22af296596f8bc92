"""Template filters of crm.kit.formats: {{ value|day }}, {{ value|moment }}, {{ value|number:1 }} …"""

from django import template

from crm.kit import formats
from crm.kit.translation import translated

register = template.Library()


def _filter(name, write, *, local=False):
    """Register a filter that returns '' for None and ''."""
    register.filter(name, lambda value: "" if value in (None, "") else write(value), expects_localtime=local)


_filter("day", formats.day, local=True)
_filter("day_of_year", formats.day_of_year, local=True)
_filter("month", formats.month, local=True)
_filter("clock", formats.clock, local=True)
_filter("moment", formats.moment, local=True)
_filter("moment_and_zone", formats.moment_and_zone, local=True)


@register.filter
def number(value, digits=None):
    """Format a number by formats.number(); return other values unchanged."""
    return formats.number(value, digits) if isinstance(value, formats.NUMBERS) else value


register.filter("translated", translated)


@register.filter
def typed(value):
    """Format a number for an input; return other values unchanged."""
    return formats.typed(value) if isinstance(value, formats.NUMBERS) else value


@register.filter
def percent(fraction, digits=1):
    return "" if fraction is None else formats.percent(fraction, digits)
