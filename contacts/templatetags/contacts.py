"""Tags for contact pages: `{% load contacts %}`."""

from django import template

from contacts.axes import LIFECYCLE
from crm.kit.templatetags.frame import badge

register = template.Library()


@register.simple_tag
def stage_badge(value):
    choice = LIFECYCLE.value(value)
    return badge(choice.label, choice.tone)
