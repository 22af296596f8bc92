"""How many examples property tests try: few by default, twenty times as many with EXAMPLES=20."""

import os


def examples(few: int) -> int:
    """The number of examples for a test that tries `few` of them by default."""
    return few * int(os.environ.get("EXAMPLES") or 1)
