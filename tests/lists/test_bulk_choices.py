"""Bulk actions need an explicit choice: Enter alone changes no record."""

import pytest

from contacts.models import Contact
from crm.entities.registry import get
from crm.lists.spec import spec_of
from tests.factories import make_contact, make_opportunity
from tests.workflows.conftest import make_flow, task

pytestmark = pytest.mark.once

ENTITIES = ("contact", "company", "lead", "opportunity")
# They take text, a day or nothing: there is no choice.
TYPED = {"delete", "wait", "restore", "first_contact", "lose"}


@pytest.mark.parametrize("entity", ENTITIES)
def test_no_choice_is_made_beforehand(entity, acme, actor):
    make_flow(actor("admin"), {"kind": "manual", "entity": entity}, task())
    for action in spec_of(entity).actions:
        form = action.form(actor("manager"))()
        chosen = [field for name, field in form.fields.items() if name not in ("team", "contacts", "reason", "until")]
        if action.name not in TYPED:
            assert chosen, action.name
            assert {field.choices[0][0] for field in chosen} == {""}, action.name
            assert all(field.required for field in chosen), action.name


def test_enter_alone_leaves_owners_as_they_are(acme, cast, sign_in):
    contact, manager = make_contact(owner=cast.rep), sign_in("manager")
    facts = {"action": "assign", "query": "view=all", "selected": [contact.public_id], "confirm": 1, "confirmed": 1}
    asked = manager.post("/contact/bulk", facts | {"owner": "", "team": "keep"})
    assert asked.status_code == 422
    assert "Choose an owner." in asked.content.decode()
    assert Contact.objects.get().owner == cast.rep
    manager.post("/contact/bulk", facts | {"owner": "none", "team": "keep"})
    assert Contact.objects.get().owner is None


def test_enter_alone_clears_no_field(acme, sign_in):
    contact, manager = make_contact(title="CFO"), sign_in("manager")
    facts = {"action": "edit", "query": "view=all", "selected": [contact.public_id], "confirm": 1, "confirmed": 1}
    asked = manager.post("/contact/bulk", facts | {"field": "title", "asked": 1, "value": ""})
    assert "select “Clear field”" in asked.content.decode()
    assert Contact.objects.get().title == "CFO"
    manager.post("/contact/bulk", facts | {"field": "title", "asked": 1, "value": "", "clear": "on"})
    assert Contact.objects.get().title == ""


def test_an_export_has_the_order_of_the_page(acme, sign_in):
    for name, amount in (("Small", "5"), ("Large", "900"), ("None", None), ("Middle", "70")):
        make_opportunity(name, amount=amount)
    manager = sign_in("manager")
    for sort in ("-amount", "amount", "-name"):
        query = f"view=all&sort={sort}&columns=name"
        shown = [row[1] for row in manager.get(f"/opportunity?{query}").context["page"].found]
        names = dict(get("opportunity").model.objects.values_list("public_id", "name"))
        lines = b"".join(manager.get(f"/opportunity/export?{query}").streaming_content).decode().splitlines()
        assert lines[1:] == [names[public_id] for public_id in shown], sort
