"""Mentions: @mara in a text calls a member by their handle (crm.entities.people says who has which)."""

import re
from collections.abc import Mapping, Sequence

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from crm.entities.people import members
from crm.users.models import Membership

# Not the end of an e-mail address; a full stop after a handle ends the sentence.
MENTION = re.compile(r"(?<![\w@./+-])@([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)", re.IGNORECASE)


def mentioned(texts: Sequence[str]) -> list[list[Membership]]:
    """The members that each text mentions, those who left included. Two statements if there is any, else none."""
    written = [{handle.lower() for handle in MENTION.findall(text)} for text in texts]
    if not any(written):
        return [[] for _ in texts]
    by_handle = {row.handle: row.pk for row in members().rows.values()}
    wanted = {by_handle[handle] for handles in written for handle in handles if handle in by_handle}
    found = Membership.objects.filter(pk__any_of=sorted(wanted)).select_related("user").in_bulk()
    return [[found[by_handle[handle]] for handle in sorted(handles & by_handle.keys())] for handles in written]


def marked(text: str, handles: Mapping[str, str]) -> SafeString:
    """The text as HTML, escaped, in which each mention stands out and says whom it means (`handles`: → name)."""
    if "@" not in text:
        return conditional_escape(text)
    parts = MENTION.split(text)  # text, handle, text, handle, …
    shown = [(_mention(part, handles) if index % 2 else part,) for index, part in enumerate(parts)]
    return format_html_join("", "{}", shown)


def _mention(handle: str, handles: Mapping[str, str]) -> str:
    name = handles.get(handle.lower())
    html = '<strong class="mention" title="{}">@{}</strong>'  # not a text
    return format_html(html, name, handle) if name else f"@{handle}"
