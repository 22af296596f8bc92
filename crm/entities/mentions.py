"""Mentions: @mara in a text mentions a member by handle (see crm.entities.people)."""

import re
from collections.abc import Mapping, Sequence

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from crm.entities.people import members
from crm.users.models import Membership

# Not inside an email address; a full stop after a handle ends the sentence.
MENTION = re.compile(r"(?<![\w@./+-])@([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)", re.IGNORECASE)


def mentioned(texts: Sequence[str]) -> list[list[Membership]]:
    """Return the members mentioned in each text, former ones included. Two statements, or none without mentions."""
    written = [{handle.lower() for handle in MENTION.findall(text)} for text in texts]
    if not any(written):
        return [[] for _ in texts]
    by_handle = {row.handle: row.pk for row in members().rows.values()}
    wanted = {by_handle[handle] for handles in written for handle in handles if handle in by_handle}
    found = Membership.objects.filter(pk__any_of=sorted(wanted)).select_related("user").in_bulk()
    return [[found[by_handle[handle]] for handle in sorted(handles & by_handle.keys())] for handles in written]


def marked(text: str, handles: Mapping[str, str]) -> SafeString:
    """Return the text as escaped HTML with mentions highlighted and resolved (`handles`: → name)."""
    if "@" not in text:
        return conditional_escape(text)
    parts = MENTION.split(text)  # text, handle, text, handle, …
    shown = [(_mention(part, handles) if index % 2 else part,) for index, part in enumerate(parts)]
    return format_html_join("", "{}", shown)


def _mention(handle: str, handles: Mapping[str, str]) -> str:
    name = handles.get(handle.lower())
    html = '<strong class="mention" title="{}">@{}</strong>'  # not a text
    return format_html(html, name, handle) if name else f"@{handle}"
