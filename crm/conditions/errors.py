"""What is wrong with a condition, for the person who wrote it."""

from crm.kit.errors import DomainError


class ConditionError(DomainError):
    """The text is no condition: `word`, at offset `position`, was not understood; `suggestion` may have been meant.

    `sentence` is the message without the position, for those who didn't write the text themselves.
    """

    def __init__(self, message: str, *, word: str = "", position: int = 0, suggestion: str = "", sentence: str = ""):
        self.message, self.word, self.position, self.suggestion = message, word, position, suggestion
        self.sentence = sentence or message
        super().__init__(message)
