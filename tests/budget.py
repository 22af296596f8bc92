"""Number of examples of property tests: few by default, twenty times as many with EXAMPLES=20."""

import os


def examples(few: int) -> int:
    """Return the number of examples for a test with `few` by default."""
    return few * int(os.environ.get("EXAMPLES") or 1)
