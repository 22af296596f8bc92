"""Single submission of forms: a double click creates one record, and both clicks lead to it.

Every form carries a one-time key (the tag workspace_field). A request's first record() writes it to a table with a
unique constraint, in the change's transaction: of two requests with one key, one commits. The key includes the input,
so that a form reopened by the Back button can be changed and sent.

Why: docs/decisions/0069-a-form-is-submitted-once.md
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from audit.models import Entry
from audit.subjects import subject
from crm.kit import clock
from crm.kit.sql import as_stored, insert_new
from crm.users.models import Submission

FIELD = "once"
LONGEST = 500
LOOKED_AT = 50  # entries of a change: the form's records are among the first


class AlreadySubmitted(Exception):
    """The form was already submitted, or concurrently by another request."""


@dataclass(frozen=True)
class OneTimeKey:
    """A request's one-time key, used as Actor.once."""

    key: str

    def __call__(self, change: UUID, url: str = "") -> None:
        """Claim the key for `change`, once in its transaction. Raises AlreadySubmitted if another request has it.

        On PostgreSQL a concurrent request waits here until the first has committed.
        """
        if any(call == self._stand for _, call, *_ in connection.run_on_commit):
            return
        row = (self.key, as_stored(change), url, as_stored(clock.now()))
        is_first = insert_new(Submission, ("key", "change", "url", "at"), [row], {})
        if not is_first and Submission.objects.filter(key=self.key).exclude(change=change).exists():
            raise AlreadySubmitted
        transaction.on_commit(self._stand)

    def _stand(self) -> None:
        """Mark the transaction that has claimed the key: a rollback, also to a savepoint, takes both back."""

    def is_of(self, change: UUID) -> bool:
        return Submission.objects.filter(key=self.key, change=change).exists()

    def led_to(self, url: str, change: UUID) -> None:
        """Store the result URL of the request that claimed the key, for later ones.

        Only if result() cannot derive it: on SQLite a second transaction would wait beside an import again.
        """
        if len(url) <= LONGEST and url != next(_pages(change), ""):
            Submission.objects.filter(key=self.key, change=change, url="").update(url=url)

    def result(self, request: HttpRequest) -> str:
        """Return the result URL of this key's first request: the created record's page, or the form's; '' if none."""
        found = Submission.objects.filter(key=self.key).first()
        return (found and (found.url or next(_pages(found.change), "") or _origin(request))) or ""


def one_time_key_of(request: HttpRequest) -> OneTimeKey | None:
    token = request.POST.get(FIELD) if request.method == "POST" else None
    if not token:
        return None
    sent = [(name, values) for name, values in sorted(request.POST.lists()) if name != "csrfmiddlewaretoken"]
    files = [(name, file.name, file.size) for name in sorted(request.FILES) for file in request.FILES.getlist(name)]
    text = json.dumps([request.actor.member_id, request.get_full_path(), sent, files])  # type: ignore[attr-defined]
    return OneTimeKey(sha256(text.encode()).hexdigest())


def _pages(change: UUID) -> Iterator[str]:
    entries = Entry.objects.filter(change=change).order_by("id").values_list("action", "entity", "entity_id")
    for _, entity, pk in sorted(entries[:LOOKED_AT], key=lambda entry: entry[0] != "CREATE"):
        record = subject(entity).model._default_manager.filter(pk=pk).first()
        if record is not None and hasattr(record, "get_absolute_url"):
            yield record.get_absolute_url()


def _origin(request: HttpRequest) -> str:
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    return came_from if is_ours else "/"
