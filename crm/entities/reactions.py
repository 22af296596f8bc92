"""The undo of conversions, which registers itself with audit.undo."""

from crm.entities.verbs import undo_conversion

__all__ = ["undo_conversion"]
