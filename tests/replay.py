"""Comparison of tables and audit log: the log's values equal the rows."""

from audit import values as audited
from audit.subjects import all_subjects, subject

# Derived or counted: their sources are in the log.
DERIVED = {
    "id",
    "public_id",
    "workspace",
    "version",
    "created_at",
    "updated_at",
    "name_key",
    "subject_key",
    "email_key",
    "address_rows",
    "search_text",
    "lifecycle_stage_since",
    "status_since",
    "stage_since",
    "last_activity",
    "last_engagement",
    "engagement",  # not a column: engagement counts
    "schema_version",
}
# A migration's assessment of a legacy lead: its report. Its effect on the lead is in the log.
REPORTED = {"run", "outcome", "outcome_note", "value_note"}
# Secrets, traces of signing in, a person's current workspace, an email's time: not part of a record's history.
PRIVATE = {"sent_on", "password", "token_hash", "last_login", "membership", "date_joined"}
UNTOUCHED = DERIVED | REPORTED | PRIVATE
# Engagement is a log itself, of immutable rows: entries have a contact's counts, and the events moved by a merge.
# Campaign recipients too have their own results; entries have the recipients.
OWN_LOG = {"engagement", "campaign_person"}


def snapshot() -> dict[tuple[str, int], dict[str, object]]:
    """Return every row of every audited model: column → value in log format, custom fields separately."""
    found = {}
    for about in (about for about in all_subjects() if about.entity not in OWN_LOG):
        for record in about.model._default_manager.all():
            found[about.entity, record.pk] = _columns(record)
    return found


def _columns(record) -> dict[str, object]:
    stored = (f.name for f in record._meta.concrete_fields if not f.generated)
    names = [name for name in stored if name not in UNTOUCHED and name != "custom"]
    columns = {name: audited.to_log(audited.read_value(record, name)) for name in names}
    custom = getattr(record, "custom", {})
    return columns | {f"custom.{key}": value for key, value in custom.items()}


def replay(before: dict, found) -> dict:
    """Return the rows according to the log; every entry must start from the current values."""
    now = {key: dict(columns) for key, columns in before.items()}
    for entry in (entry for entry in found if entry.entity not in OWN_LOG):
        key = entry.entity, entry.entity_id
        old, new = _split(entry, entry.old_values), _split(entry, entry.new_values)
        if entry.old_values is None and entry.new_values is None:
            continue
        if entry.old_values is None:
            assert key not in now, f"{entry} is made a second time"
            now[key] = _blank(entry.entity) | new
        else:
            held = {column: now[key].get(column) for column in old}
            assert held == old, entry
            if entry.new_values is None:
                assert {k: v for k, v in now.pop(key).items() if v not in ("", None, [])}.keys() <= old.keys(), entry
            else:
                assert old.keys() == new.keys(), entry
                assert not [column for column in new if new[column] == old[column]], (
                    f"{entry} names what did not change"
                )
                now[key] |= new
                now[key] = {c: v for c, v in now[key].items() if not (c.startswith("custom.") and v is None)}
    return now


def _split(entry, values: dict | None) -> dict:
    model = subject(entry.entity).model
    plain = {key: value for key, value in (values or {}).items() if key not in UNTOUCHED and key != "custom"}
    # Converted there and back: PostgreSQL writes times without trailing zeros.
    plain = {key: audited.to_log(audited.from_log(model, key, value)) for key, value in plain.items()}
    return plain | {f"custom.{key}": value for key, value in (values or {}).get("custom", {}).items()}


def _blank(entity: str) -> dict:
    """Return a new record's values for columns its creation does not mention."""
    return _columns(subject(entity).model())
