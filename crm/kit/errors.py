"""What a verb may raise. Each carries a sentence written for the person who reads it."""

from collections.abc import Sequence


class DomainError(Exception):
    """Base: `str(error)` is a sentence to show."""


class Refused(DomainError):
    """A rule or a guard said no; nothing was changed."""


class InUse(Refused):
    """Settings refer to what was to be removed: `uses` are their (label, URL) pairs."""

    def __init__(self, sentence: str, uses: Sequence[tuple[str, str]]):
        self.sentence, self.uses = sentence, list(uses)
        super().__init__(f"{sentence} It is used by: {'; '.join(label for label, _ in uses)}. Change that first.")


class Invalid(DomainError):
    """Bad input: `errors` maps a field's key to its sentence; the key '' is for the whole input."""

    def __init__(self, errors: dict[str, str] | str):
        self.errors = {"": errors} if isinstance(errors, str) else errors
        super().__init__(" ".join(self.errors.values()))


class AlreadyTaken(Invalid):
    """What must be unique belongs to another record, which the sentence names; `name` and `url` are '' if unseen."""

    def __init__(self, key: str, sentence: str, name: str = "", url: str = ""):
        self.name, self.url = name, url
        super().__init__({key: f"{sentence}: {name}." if name else f"{sentence}."})


class NotAllowed(DomainError):
    """The role of the actor does not allow this at all."""


class Conflict(DomainError):
    """The record was changed since it was read. `fields` maps each key to (yours, theirs)."""

    def __init__(self, fields: dict[str, tuple]):
        self.fields = fields
        super().__init__("Somebody changed this record while you were editing it.")


class TooSlow(DomainError):
    """A query did not finish within its time limit."""


class Busy(DomainError):
    """Too many expensive requests are running; the same request may be sent again in RETRY_AFTER seconds."""

    RETRY_AFTER = 5

    def __init__(self) -> None:
        super().__init__("The server is busy with other large requests. Nothing was changed. Try again in a moment.")
