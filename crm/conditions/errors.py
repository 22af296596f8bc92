"""Errors in a condition, worded for its author."""

from crm.kit.errors import DomainError


class ConditionError(DomainError):
    """A syntax or name error: `word` at offset `position` is invalid; `suggestion` is the nearest valid word."""

    def __init__(self, message: str, *, word: str = "", position: int = 0, suggestion: str = ""):
        self.message, self.word, self.position, self.suggestion = message, word, position, suggestion
        super().__init__(message)
