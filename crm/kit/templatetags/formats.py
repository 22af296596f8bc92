"""Template filters of crm.kit.formats: {{ value|day }}, {{ value|moment }}, {{ value|number:1 }} …"""

from django import template
from django.template.base import render_value_in_context
from django.templatetags.i18n import BlockTranslateNode, do_block_translate, do_translate
from django.utils.safestring import SafeString

from crm.kit import formats
from crm.kit.translation import gettext, translated

register = template.Library()


class LiteralText(template.Node):
    """A plain text of a template, in the reader's language."""

    def __init__(self, message: str) -> None:
        self.message = message.replace("%", "%%")  # as the catalogs have it

    def render(self, context) -> str:
        return gettext(self.message).replace("%%", "%")


@register.tag
def translate(parser, token):
    """Compile Django's tag; a text without filters or options, as nearly all are, renders in a fifth of the time."""
    bits = token.split_contents()
    if len(bits) == 2:
        text = parser.compile_filter(bits[1])
        if isinstance(text.var, SafeString) and not text.filters:
            return LiteralText(text.var)
    return do_translate(parser, token)


class BlockText(template.Node):
    """A text of a template with values in it, joined once and not whenever it is rendered."""

    def __init__(self, block: BlockTranslateNode) -> None:
        self.message, self.names = block.render_token_list(block.singular)
        self.given, self.asvar = block.extra_context, block.asvar

    def render(self, context) -> str:
        given = {name: value.resolve(context) for name, value in self.given.items()}
        with context.push(**given):
            values = {name: render_value_in_context(context.get(name, ""), context) for name in self.names}
        text = SafeString(gettext(self.message) % values)
        if not self.asvar:
            return text
        context[self.asvar] = text
        return ""


@register.tag
def blocktranslate(parser, token):
    """Compile Django's tag; one without plural and context, as nearly all are, renders in a third of the time."""
    block = do_block_translate(parser, token)
    return block if block.plural or block.message_context else BlockText(block)


def _filter(name, write, *, local=False):
    """Register a filter that returns '' for None and ''."""
    register.filter(name, lambda value: "" if value in (None, "") else write(value), expects_localtime=local)


_filter("day", formats.day, local=True)
_filter("day_of_year", formats.day_of_year, local=True)
_filter("month", formats.month, local=True)
_filter("clock", formats.clock, local=True)
_filter("moment", formats.moment, local=True)
_filter("moment_and_zone", formats.moment_and_zone, local=True)
_filter("file_size", formats.file_size)


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
