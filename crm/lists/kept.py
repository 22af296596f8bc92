"""Views that may not be deleted, because something in an upper app goes by them."""

from collections.abc import Callable

Rule = Callable[[str, str], str]
_rules: list[Rule] = []


def keep_views(rule: Rule) -> None:
    """Ask `rule(entity, slug)` before a view of the workspace is deleted: why it must stay, '' if it may go."""
    _rules.append(rule)


def why_kept(entity: str, slug: str) -> str:
    """The sentence that says what goes by a view of the workspace, '' for one that may be deleted."""
    return next((why for rule in _rules if (why := rule(entity, slug))), "")
