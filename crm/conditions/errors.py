"""Errors in a condition, worded for its author."""

from crm.kit.errors import DomainError


class ConditionError(DomainError):
    """A syntax or name error: `word` at offset `position` is invalid; `suggestion` is the nearest valid word.

    `sentence` is the message without the position, for those who didn't write the text themselves.
    """

    def __init__(self, message: str, *, word: str = "", position: int = 0, suggestion: str = "", sentence: str = ""):
        self.message, self.word, self.position, self.suggestion = message, word, position, suggestion
        self.sentence = sentence or message
        super().__init__(message)
