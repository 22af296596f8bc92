"""What an audit entry changed, field by field, as timelines and the audit log show it."""

from dataclasses import dataclass

from audit import values as audited
from audit.models import Entry
from audit.subjects import subject
from crm.entities.display import NOTHING, Names, field_of, shown
from crm.entities.schema import schema
from crm.kit.actor import Channel
from crm.kit.translation import gettext_lazy as _

# No line of their own: covered by the move or sentence they came with.
SILENT = {"deleted_at", "merged_into", "avatar"}
CHANNELS = {
    Channel.WEB: "",
    Channel.API: _("via API"),
    Channel.MCP: _("via AI assistant"),
    Channel.IMPORT: _("via import"),
    Channel.COMMAND: _("via command line"),
    Channel.WORKFLOW: _("via workflow"),
    Channel.MAIL: _("via email link"),
    Channel.ADMIN: _("via admin"),
    Channel.SYSTEM: "",
}


@dataclass(frozen=True)
class Difference:
    """A changed field, from and to."""

    label: str
    old: str
    new: str

    @property
    def is_set(self) -> bool:
        return self.old == NOTHING

    @property
    def is_cleared(self) -> bool:
        return self.new == NOTHING


def differences(entity: str, entry: Entry, names: Names) -> list[Difference]:
    """Return an entry's changes, field by field, as text."""
    if entry.old_values is None or entry.new_values is None:
        return []
    known, silent, found = schema(entity), SILENT | subject(entity).following, []
    # A move's other fields (a probability, the date won) are implied.
    moved = {key for key in entry.new_values if f"{key}_since" in entry.new_values}
    for key, new in entry.new_values.items():
        if key in (moved or entry.new_values.keys() - silent) and new != entry.old_values.get(key):
            shown_field = field_of(known, key)
            if shown_field is None and not key.startswith(audited.CUSTOM):
                continue  # a column read only by the product's rules
            label = shown_field.label if shown_field else audited.field_label(subject(entity).model, key)
            old = shown(shown_field, entry.old_values.get(key), names)
            found.append(Difference(label, old, shown(shown_field, new, names)))
    return found
