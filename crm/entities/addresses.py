"""Lists of addresses in forms and as HTML."""

from html import escape
from typing import Any

from django.forms import Textarea

from crm.entities.fields import Field, FieldType
from crm.kit.addresses import LABELS, MOBILE, Address, label_text, read_addresses, write_addresses
from crm.kit.phones import phone_url
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _

EMPTY_ROWS = 1
INPUTS = {FieldType.EMAIL: "email", FieldType.PHONE: "tel"}


class AddressList(Textarea):
    """One row per address: value, label and place. Data without labels is the list as text."""

    template_name = "django/forms/widgets/addresses.html"
    use_fieldset = True

    def __init__(self, items: FieldType):
        self.items = items
        super().__init__()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = [Address(each.value, label_text(each.label)) for each in read_addresses(value or "")]
        labels = [text for label, text in LABELS.items() if label != MOBILE or self.items is FieldType.PHONE]
        context["widget"] |= {
            "rows": rows + [Address("")] * EMPTY_ROWS,
            "texts": _texts(self.items),
            "type": INPUTS[self.items],
            "labels": labels,
        }
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str | None:
        """Return the rows as text, in their order."""
        if f"{name}-label" not in data:
            return data.get(name)
        rows = zip(*(data.getlist(name + part) for part in ("", "-label", "-order")), strict=False)
        ordered = sorted(rows, key=lambda row: int(row[2]) if row[2].isdecimal() else len(row))
        return write_addresses(
            Address(value.strip(), label.strip()) for value, label, _order in ordered if value.strip()
        )


def _texts(items: FieldType) -> dict[str, str]:
    texts = {"label": _("Label"), "order": _("Order"), "up": _("Move up"), "remove": _("Remove"), "add": _("Add")}
    return texts | {"value": _("Email") if items is FieldType.EMAIL else _("Phone")}


def address_html(address: Address, type: FieldType) -> str:
    """Return an email or phone as a link that writes or dials, with its label."""
    url = f"mailto:{address.value}" if type is FieldType.EMAIL else phone_url(address.value, workspace().country)
    shown = escape(address.value)
    return (f'<a href="{escape(url)}">{shown}</a>' if url else shown) + label_html(address.label)


def label_html(label: str) -> str:
    return f' <span class="muted">{escape(label_text(label))}</span>' if label else ""  # not a text


def list_html(field: Field, text: str) -> str:
    """Return a list of addresses as links."""
    found = (address_html(each, field.items or FieldType.TEXT) for each in read_addresses(text))
    return f'<span class="address-list">{"".join(f"<span>{each}</span>" for each in found)}</span>'  # not a text
