"""The bell: `{% load notifications %}`."""

from django import template

from crm.kit import nav

register = template.Library()


@register.inclusion_tag("notifications/bell.html", takes_context=True)
def bell(context):
    """Return the bell with the unread count, loaded with the sidebar's counts."""
    count = len(nav.surroundings(context["request"]).facts.get("unread", ()))
    return {"count": count, "shown": f"{nav.COUNT_LIMIT - 1}+" if count >= nav.COUNT_LIMIT else count}
