"""Tags and filters for every page: `{% load frame %}`."""

from datetime import datetime
from functools import cache, lru_cache
from secrets import token_hex
from typing import NamedTuple

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from crm.kit import formats, nav
from crm.kit.actor import Actor
from crm.kit.scope import NoWorkspace, workspace
from crm.kit.translation import active_language, gettext
from crm.kit.translation import gettext_lazy as _

register = template.Library()

# (upper limit in seconds, seconds per unit, past, future, overdue); app.js updates shown times by the same texts.
STEPS = [
    (3600, 60, _("{count} min ago"), _("in {count} min"), _("overdue by {count} min")),
    (86400, 3600, _("{count} h ago"), _("in {count} h"), _("overdue by {count} h")),
    (30 * 86400, 86400, _("{count} d ago"), _("in {count} d"), _("overdue by {count} d")),
]


@register.simple_tag
@cache
def icon(name):
    """Return an icon to accompany text: 16 px, in the text's color, hidden from screen readers. Names: lucide.dev."""
    return lucide(name, size=16, **{"class": "icon", "aria_hidden": "true"})


@register.simple_tag
def avatar(name, size=""):
    """Return a person's initials in a circle; `size` is '' or 'large'. The name itself must be beside it."""
    tag = '<span class="avatar {}" aria-hidden="true">{}</span>'  # not a text
    return format_html(tag, size and f"avatar-{size}", initials(name))


@register.simple_tag
def badge(label, tone=""):
    """Return an axis value as text and color (amber, blue, green, red, grey, violet)."""
    return format_html('<span class="badge {}">{}</span>', tone and f"tone-{tone}", label)  # not a text


@register.simple_tag
def money(amount, currency):
    """Format an amount with its currency, e.g. €48,000; '' for None."""
    return "" if amount is None else formats.money(amount, currency)


@register.simple_tag
def once_field():
    """Return the hidden input with a form's one-time key (see crm/users/once.py)."""
    return format_html('<input type="hidden" name="once" value="{}">', token_hex(16))  # not a text


@register.simple_tag
def workspace_field():
    """Return hidden inputs that bind a form to its workspace and to one submission; '' outside a workspace."""
    tags = '<input type="hidden" name="workspace" value="{}">{}'  # not a text
    try:
        return format_html(tags, workspace().slug, once_field())
    except NoWorkspace:
        return ""


@register.simple_tag
def url_if(name, *args):
    """Return the URL of a named page, '' if no app provides it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@register.inclusion_tag("partials/nav.html", takes_context=True)
def navigation(context, settings=False):
    """Return the sidebar's entries; with `settings` those of the settings pages, by group."""
    request = context["request"]
    items = [item for item in _shown_items(request) if bool(item.settings) == settings]
    shown = nav.surroundings(request).counts
    chosen = {item for item in items if item.query and request.get_full_path() == item.url}
    sections: dict[str, list[dict]] = {group: [] for group in nav.SETTINGS} if settings else {"": []}
    for item in items:
        current = item in chosen if chosen or item.query else _is_current(request, item.url)
        entry = {"item": item, "url": item.url, "count": shown.get(item.url, ""), "current": current}
        sections[item.settings].append(entry)
    shown_sections = [(nav.SETTINGS.get(group, ""), entries) for group, entries in sections.items() if entries]
    return {"sections": shown_sections, "settings": settings}


@register.simple_tag(takes_context=True)
def jumps(context):
    """Return the sidebar entries with a keyboard shortcut."""
    return [item for item in _shown_items(context["request"]) if item.key]


def _shown_items(request) -> list[nav.NavItem]:
    by: Actor = request.actor
    facts = nav.surroundings(request).facts
    return [item for item in nav.items_for(by) if not item.fact or facts[item.fact]]


def _is_current(request, url: str) -> bool:
    return request.path == url or (url != "/" and request.path.startswith(url.rstrip("/") + "/"))


@register.filter
def initials(name) -> str:
    """Return up to two letters for an avatar: of the first and last word, or the first two of an email address."""
    words = str(name).split("@")[0].replace(".", " ").split()
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()


@register.filter
def ago(moment: datetime | None):
    """Return a `<time>` relative to now, with the exact time on hover; — for None."""
    if moment is None:
        return "—"
    return mark_safe(time_element(timezone.localtime(moment), timezone.now()))  # noqa: S308 (digits and words)


@register.filter
def due(moment: datetime | None):
    """Return `ago` for a due time: “in 3 h”, “overdue by 2 h”; — for None."""
    if moment is None:
        return "—"
    return mark_safe(due_element(timezone.localtime(moment), timezone.now()))  # noqa: S308 (digits and words)


def due_element(exact: datetime, now: datetime) -> str:
    """Return `due` as text; `exact` is in the reader's time zone."""
    if exact > now:
        return _element(exact, _distance(exact, now), " data-due")
    return _element(exact, _overdue(exact, now), ' data-due class="due"')  # not a text


def time_element(exact: datetime, now: datetime) -> str:
    """Return `ago` as text, for lists with hundreds of them; `exact` is in the reader's time zone."""
    return _element(exact, _distance(exact, now))


def _element(exact: datetime, words: str, attributes: str = "") -> str:
    title = f"{formats.day_in_full(exact)}, {formats.clock(exact)} {exact.tzname()}"
    at = exact.isoformat(timespec="seconds")
    return f'<time datetime="{at}" title="{title}" data-ago{attributes}>{words}</time>'  # not a text


def _distance(exact: datetime, now: datetime) -> str:
    words, seconds = _words(active_language()), (now - exact).total_seconds()
    if abs(seconds) < 60:
        return words.now
    for limit, unit, past, future, _late in words.steps:
        if abs(seconds) < limit:
            return (past if seconds > 0 else future).format(count=int(abs(seconds) // unit))
    return formats.day_of_year(exact) if exact.year == now.year else formats.day(exact)


def _overdue(exact: datetime, now: datetime) -> str:
    words, seconds = _words(active_language()), (now - exact).total_seconds()
    if seconds < 60:
        return words.due_now
    for limit, unit, _past, _future, late in words.steps:
        if seconds < limit:
            return late.format(count=int(seconds // unit))
    return words.overdue_since.format(day=formats.day(exact))


class Words(NamedTuple):
    """The texts of relative times in one language: a list writes hundreds of them."""

    now: str
    due_now: str
    overdue_since: str
    steps: list[tuple[int, int, str, str, str]]


@lru_cache(maxsize=20)
def _words(language: str | None) -> Words:
    steps = [(limit, unit, str(past), str(future), str(late)) for limit, unit, past, future, late in STEPS]
    return Words(gettext("now"), gettext("due now"), gettext("overdue since {day}"), steps)


@register.simple_tag
def script_texts():
    """Return the texts of app.js in the reader's language, as JSON that it finds by id."""
    return _script_texts(active_language())


@lru_cache(maxsize=20)
def _script_texts(language: str | None) -> SafeString:
    words = _words(language)
    texts = {
        "steps": words.steps,
        "now": words.now,
        "dueNow": words.due_now,
        "selected": gettext("{count} selected"),
        "copied": gettext("Copied."),
        "mention": gettext("People to mention"),
        "position": gettext("{position} of {total}"),
        "failed": gettext("Something went wrong (error {status}). No changes were saved. Reference: {reference}"),
        "offline": gettext("Can’t reach the server. Check your connection. No changes were saved."),
    }
    return json_script(texts, "texts")
