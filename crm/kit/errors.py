"""What a verb may raise. Each carries a sentence written for the person who reads it."""

from collections.abc import Sequence

from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

IN_USE = _("{refusal} Used by: {uses}. Change that first.")
ALREADY_TAKEN = _("{problem}: {record}.")


class DomainError(Exception):
    """Base: `str(error)` is a sentence to show."""


class Refused(DomainError):
    """A rule or a guard said no; nothing was changed."""


class InUse(Refused):
    """Settings refer to what was to be removed: `uses` are their (label, URL) pairs."""

    def __init__(self, sentence: str, uses: Sequence[tuple[str, str]]):
        self.sentence, self.uses = sentence, list(uses)
        labels = "; ".join(str(label) for label, _url in self.uses)
        super().__init__(IN_USE.format(refusal=sentence, uses=labels))


class Invalid(DomainError):
    """Bad input: `errors` maps a field's key to its sentence; the key '' is for the whole input."""

    def __init__(self, errors: dict[str, str] | str):
        found = errors if isinstance(errors, dict) else {"": errors}
        self.errors = {key: str(sentence) for key, sentence in found.items()}
        super().__init__(" ".join(self.errors.values()))


class AlreadyTaken(Invalid):
    """What must be unique belongs to another record, which the sentence names; `name` and `url` are '' if unseen."""

    def __init__(self, key: str, sentence: str, name: str = "", url: str = ""):
        self.problem, self.name, self.url = sentence, name, url
        super().__init__({key: ALREADY_TAKEN.format(problem=sentence, record=name) if name else f"{sentence}."})


class NotAllowed(DomainError):
    """The role of the actor does not allow this at all."""


class Conflict(DomainError):
    """The record was changed since it was read. `fields` maps each key to (yours, theirs)."""

    def __init__(self, fields: dict[str, tuple]):
        self.fields = fields
        super().__init__(gettext("Someone else changed this record while you were editing it."))


class TooSlow(DomainError):
    """A query did not finish within its time limit."""


class Busy(DomainError):
    """Too many expensive requests are running; the same request may be sent again in RETRY_AFTER seconds."""

    RETRY_AFTER = 5

    def __init__(self) -> None:
        super().__init__(gettext("The server is busy. No changes were saved. Try again in a moment."))
