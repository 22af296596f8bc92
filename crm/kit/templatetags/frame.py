"""Tags and filters that every page uses: `{% load frame %}`."""

from calendar import month_name
from datetime import datetime
from functools import cache
from secrets import token_hex

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from lucide.templatetags.lucide import lucide

from crm.kit import nav, text
from crm.kit.actor import Actor
from crm.kit.scope import NoWorkspace, workspace

register = template.Library()

MONTHS = tuple(month_name)  # which asks the C library anew for each of them
STEPS = [(60, 1, "now"), (3600, 60, "min"), (86400, 3600, "h"), (30 * 86400, 86400, "d")]


@register.simple_tag
@cache
def icon(name):
    """An icon beside words: 16 px, in the colour of the text, silent for screen readers. Names: lucide.dev."""
    return lucide(name, size=16, **{"class": "icon", "aria_hidden": "true"})


@register.simple_tag
def avatar(name, size=""):
    """The initials of a person in a circle; `size` is '' or 'large'. The name itself stands beside it."""
    return format_html(
        '<span class="avatar {}" aria-hidden="true">{}</span>', size and f"avatar-{size}", initials(name)
    )


@register.simple_tag
def badge(label, tone=""):
    """A value of an axis: word and colour (amber, blue, green, red, grey, violet)."""
    return format_html('<span class="badge {}">{}</span>', tone and f"tone-{tone}", label)


@register.simple_tag
def money(amount, currency):
    """An amount with its currency, as in €48,000; nothing for None."""
    return "" if amount is None else text.money(amount, currency)


@register.simple_tag
def once_field():
    """The hidden input with a form's one-time key (see crm/users/once.py)."""
    return format_html('<input type="hidden" name="once" value="{}">', token_hex(16))


@register.simple_tag
def workspace_field():
    """The hidden inputs that tie a form to its workspace and let it be submitted once; nothing outside a workspace."""
    try:
        return format_html('<input type="hidden" name="workspace" value="{}">{}', workspace().slug, once_field())
    except NoWorkspace:
        return ""


@register.simple_tag
def url_if(name, *args):
    """The address of a named page, or '' where no app brings it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@register.inclusion_tag("partials/nav.html", takes_context=True)
def navigation(context, settings=False):
    """The sidebar's entries in their sections; with `settings` those of the settings pages."""
    request = context["request"]
    by: Actor = request.actor
    surroundings = nav.surroundings(request)
    items = [item for item in nav.items_for(by) if (item.section == nav.SETTINGS) == settings]
    items = [item for item in items if not item.fact or surroundings.facts[item.fact]]
    shown = surroundings.counts
    chosen = {item for item in items if item.query and request.get_full_path() == item.url}
    sections: dict[str, list[dict]] = {}
    for item in items:
        current = item in chosen if chosen or item.query else _is_current(request, item.url)
        entry = {"item": item, "url": item.url, "count": shown.get(item.url, ""), "current": current}
        sections.setdefault("" if settings else item.section, []).append(entry)
    return {"sections": sections.items(), "settings": settings}


def _is_current(request, url: str) -> bool:
    return request.path == url or (url != "/" and request.path.startswith(url.rstrip("/") + "/"))


@register.filter
def initials(name) -> str:
    """Up to two letters for an avatar: first and last word's, or the first two of an e-mail address."""
    words = str(name).split("@")[0].replace(".", " ").split()
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()


@register.filter
def ago(moment: datetime | None):
    """A `<time>` that says how long ago, or until when, and shows the exact moment on hover; — for None.

    app.js keeps the words fresh with the same steps.
    """
    if moment is None:
        return "—"
    return mark_safe(time_element(timezone.localtime(moment), timezone.now()))  # noqa: S308 (digits and words)


@register.filter
def due(moment: datetime | None):
    """`ago` for a moment by which something is owed: “in 3 h”, “2 h overdue”; — for None."""
    if moment is None:
        return "—"
    return mark_safe(due_element(timezone.localtime(moment), timezone.now()))  # noqa: S308 (digits and words)


def due_element(exact: datetime, now: datetime) -> str:
    """`due` as text; `exact` is a moment in the time zone of who reads it."""
    element = time_element(exact, now).replace(" data-ago>", " data-ago data-due>")
    if exact > now:
        return element
    start, _, words = element.removesuffix("</time>").rpartition(">")
    late = f"{words.removesuffix(' ago')} overdue" if words.endswith(" ago") else f"overdue since {words}"
    return f'{start} class="due">{"due now" if words == "now" else late}</time>'


def time_element(exact: datetime, now: datetime) -> str:
    """`ago` as text, for lists that write hundreds of them; `exact` is a moment in the time zone of who reads it."""
    title = f"{exact.day} {MONTHS[exact.month]} {exact.year}, {exact.hour:02}:{exact.minute:02} {exact.tzname()}"
    words = _distance((now - exact).total_seconds(), exact, now)
    return f'<time datetime="{exact.isoformat(timespec="seconds")}" title="{title}" data-ago>{words}</time>'


def _distance(seconds: float, exact: datetime, now: datetime) -> str:
    for limit, unit, word in STEPS:
        if abs(seconds) < limit:
            amount = int(abs(seconds) // unit)
            if word == "now":
                return word
            return f"{amount} {word} ago" if seconds > 0 else f"in {amount} {word}"
    return f"{exact.day} {exact:%b}" if exact.year == now.year else f"{exact.day} {exact:%b %Y}"
