"""Undo the conversion of a custom field."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.models import Entry
from audit.record import update_and_record
from audit.undo.hooks import Undone, in_one_piece
from audit.values import CUSTOM, CustomFieldExpression
from crm.entities.conversion_survey import named_records, rows_with_value, with_changes
from crm.entities.conversion_uses import refuse_broken_uses
from crm.entities.conversions import PLAIN, Conversion
from crm.entities.display import names_for
from crm.entities.models import TYPE_LABELS, CustomField
from crm.entities.rewriting import lock_values, rewrite
from crm.entities.versions import bump_schema, lock_settings
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext

EVENTS = ("custom_field.converted", "custom_field.undone")
NAMED = 5  # records in a refusal


@in_one_piece
@transaction.atomic
def undo_conversion(change: UUID, *, by: Actor) -> Undone | None:
    """Give a field its earlier type, and each record the value that it had; return None for any other change.

    Values entered since are converted back. Admins only: raises NotAllowed; Refused if the field was changed again, or
    for values entered since that are none of the earlier type; and InUse for settings that need the present type.
    """
    entry = Entry.objects.filter(change=change, entity="custom_field", event__in=EVENTS).first()
    if entry is None:
        return None
    lock_settings(by)
    field = CustomField.objects.filter(pk=entry.entity_id).first()
    if field is None or field.type != (entry.new_values or {})["type"]:
        raise Refused(_("Can’t undo the conversion: the field has changed since."))
    back = _WayBack(field, entry)
    ids = lock_values(back.rows())
    back.refuse_misfits(by)
    refuse_broken_uses(field, back.changes, _("Can’t undo the conversion of “{field}”.").format(field=field.label))
    update_and_record("custom_field.undone", CustomField.objects.filter(pk=field.pk), back.changes, by=by)
    bump_schema()
    event, note = f"{field.entity}.undone", f"{field.entity}.field_converted"
    return Undone(1 + rewrite(field, ids, back.becomes, event=event, note=note, by=by))


class _WayBack:
    """The values that the records had before a conversion."""

    def __init__(self, field: CustomField, entry: Entry):
        self.field, self.changes = field, dict(entry.old_values or {})
        self.written = _written(entry, field)
        self.then = with_changes(field, self.changes)
        now = with_changes(field, {"choices": _choices_at(field, entry)})
        values = CustomFieldExpression(field.key)
        held = rows_with_value(field).values_list(values, flat=True).distinct()
        self.conversion = Conversion(now, self.then, names_for(field.entity, ({field.key: value} for value in held)))

    def rows(self) -> QuerySet:
        """Return the records with a value, or that lost theirs."""
        rows = rows_with_value(self.field).model.objects.order_by()
        lost = [pk for pk, (_old, new) in self.written.items() if new is None]
        return rows.filter(Q(pk__in=rows_with_value(self.field).values("pk")) | Q(pk__any_of=lost))

    def becomes(self, pk: int, value: Any) -> Any:
        """Return the value before the conversion if its result is still there; a later one converted back."""
        if self._is_untouched(pk, value):
            return self.written[pk][0]
        return value if self._stays(value) else self.conversion.of(value).new

    def _is_untouched(self, pk: int, value: Any) -> bool:
        return pk in self.written and self.written[pk][1] == value

    def _stays(self, value: Any) -> bool:
        return value is None or (self.then.type in PLAIN and isinstance(value, str))

    def _is_misfit(self, pk: int, value: Any) -> bool:
        return not (self._is_untouched(pk, value) or self._stays(value)) and bool(self.conversion.of(value).why)

    def refuse_misfits(self, by: Actor) -> None:
        """Raise Refused for values entered since that can't be converted back, and name records that have them."""
        values = self.rows().values_list("pk", CustomFieldExpression(self.field.key)).order_by("pk")
        misfits = [pk for pk, value in values.iterator() if self._is_misfit(pk, value)]
        if misfits:
            sentence = ngettext(
                "Can’t undo the conversion: {count} value entered since isn’t valid for {type}, of {records}. "
                "Change it first.",
                "Can’t undo the conversion: {count} values entered since aren’t valid for {type}, e.g. of {records}. "
                "Change them first.",
                len(misfits),
            )
            named = named_records(self.field.entity, misfits[:NAMED], by)
            records = ", ".join(name for name, _url in named.values())
            facts = {"count": formats.number(len(misfits)), "type": TYPE_LABELS[self.then.type], "records": records}
            raise Refused(sentence.format(**facts))


def _written(entry: Entry, field: CustomField) -> dict[int, tuple[Any, Any]]:
    """Map each record that the conversion changed to its values before and after."""
    key = f"{CUSTOM}{field.key}"
    rows = Entry.objects.filter(change=entry.change, entity=field.entity).order_by()
    found = rows.values_list("entity_id", "old_values", "new_values").iterator()
    return {pk: (old.get(key), new.get(key)) for pk, old, new in found}


def _choices_at(field: CustomField, entry: Entry) -> list[dict[str, Any]]:
    """Return the options as the conversion named them, and those added since: a text becomes what it was."""
    made = (entry.new_values or {}).get("choices") or []
    known = {choice["value"] for choice in made}
    return [*made, *(choice for choice in field.choices if choice["value"] not in known)]
