"""An admin converts a custom field after a preview, and takes it back."""

import pytest
from playwright.sync_api import expect

from contacts.models import Contact
from crm.lists.verbs.save_view import save_view
from tests.browser import inspect
from tests.factories import make_contact, make_field

pytestmark = pytest.mark.browser


def test_a_field_is_converted_after_a_preview_and_taken_back(visit, acme, cast, actor, sign_in):
    field = make_field("seats", "text", "Seats")
    for name, value in (("Ana Ruiz", "12"), ("Bo Lind", "about 20, to be confirmed by purchasing"), ("Cem Kaya", "7")):
        make_contact(name, seats=value)
    save_view("contact", "With seats", by=actor("manager"), condition="seats is not empty", shared=True)
    view = save_view("contact", "About", by=actor("manager"), condition="seats contains about", shared=True)
    page = visit(f"/settings/fields/{field.pk}/", client=sign_in("admin"))
    page.get_by_role("link", name="Convert field").click()
    page.get_by_label("New type").select_option("Number")
    page.get_by_role("button", name="Show preview").click()
    expect(page.get_by_text("Change it first")).to_be_visible()
    inspect(page, "field-conversion")
    save_view("contact", "About", by=actor("manager"), condition="", slug=view.slug, shared=True)
    page.reload()
    inspect(page, "field-conversion-possible")
    page.get_by_role("button", name="Convert and lose 1 value").click()
    expect(page.get_by_text("Field converted, with 2 values.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone. 4 changes reverted.")).to_be_visible()
    assert Contact.objects.get(name="Ana Ruiz").custom == {"seats": "12"}
