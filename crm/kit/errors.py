"""Errors raised by verbs, each with a message for users."""

from collections.abc import Sequence

from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

IN_USE = _("{refusal} Used by: {uses}. Change that first.")
ALREADY_TAKEN = _("{problem}: {record}.")


class DomainError(Exception):
    """Base class: `str(error)` is a message for users."""


class Refused(DomainError):
    """A rule or guard blocked the action; nothing was changed."""


class InUse(Refused):
    """Settings refer to the object to be removed: `uses` are their (label, URL) pairs."""

    def __init__(self, sentence: str, uses: Sequence[tuple[str, str]]):
        self.sentence, self.uses = sentence, list(uses)
        labels = "; ".join(str(label) for label, _url in self.uses)
        super().__init__(IN_USE.format(refusal=sentence, uses=labels))


class Invalid(DomainError):
    """Invalid input: `errors` maps a field's key to its message; the key '' is for the whole input."""

    def __init__(self, errors: dict[str, str] | str):
        found = errors if isinstance(errors, dict) else {"": errors}
        self.errors = {key: str(sentence) for key, sentence in found.items()}
        super().__init__(" ".join(self.errors.values()))


class AlreadyTaken(Invalid):
    """A unique value belongs to another record, named in the message; `name` and `url` are '' if it is not visible."""

    def __init__(self, key: str, sentence: str, name: str = "", url: str = ""):
        self.problem, self.name, self.url = sentence, name, url
        super().__init__({key: ALREADY_TAKEN.format(problem=sentence, record=name) if name else f"{sentence}."})


class NotAllowed(DomainError):
    """The actor's role does not allow the action."""


class Conflict(DomainError):
    """The record changed since it was read. `fields` maps each key to (yours, theirs)."""

    def __init__(self, fields: dict[str, tuple]):
        self.fields = fields
        super().__init__(gettext("Someone else changed this record while you were editing it."))


class TooSlow(DomainError):
    """A query exceeded its time limit."""


class Busy(DomainError):
    """Too many expensive requests are running; retry in RETRY_AFTER seconds."""

    RETRY_AFTER = 5

    def __init__(self) -> None:
        super().__init__(gettext("The server is busy. No changes were saved. Try again in a moment."))
