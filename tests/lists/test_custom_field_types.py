"""A custom field of each type: typed into its form, shown, filtered, sorted, exported and imported again."""

import csv
import io

import pytest
from django.core.management import call_command

from contacts.models import Contact
from crm.entities.models import CUSTOM_TYPES
from crm.kit.scope import in_workspace
from tests.factories import make_company, make_contact, make_field

CHOICES = [{"value": "gold", "label": "Gold"}, {"value": "silver", "label": "Silver"}]
# type → what is typed into the form, what a list shows of it, and a condition that it meets
VALUES = {
    "text": ("Fleet", "Fleet", "own = Fleet"),
    "long_text": ("Fleet of vans", "Fleet of vans", "own contains vans"),
    "number": ("12.5", "12.5", "own > 12"),
    "money": ("48,000.50", "€48,000.50", "own >= 48000.5"),
    "percent": ("12.5%", "12.5%", "own < 13%"),
    "date": ("2026-03-31", "31 Mar 2026", "own < 2026-04-01"),
    "datetime": ("2026-03-31T14:30", "31 Mar", "own = 2026-03-31"),
    "yes_no": ("yes", "Yes", "own = yes"),
    "select": ("gold", "Gold", "own = Gold"),
    "multi_select": ("gold", "Gold", "own contains Gold"),
    "user": ("rep", "Rep", "own = Rep"),
    "link": ("Fleetly", "Fleetly", "own = Fleetly"),
    "url": ("https://fleetly.example", "fleetly.example", "own contains fleetly"),
    "phone": ("+34 600 100 200", "+34 600 100 200", "own contains 600"),
    "email": ("ana@fleetly.example", "ana@fleetly.example", "own = ana@fleetly.example"),
}


@pytest.fixture
def contact(acme, cast) -> Contact:
    """One contact, and another without a value."""
    make_contact("Without")
    return make_contact("Ana Ruiz", owner=cast.rep, external_id="ana")


def test_every_type_is_tried():
    assert VALUES.keys() == {kind.value for kind in CUSTOM_TYPES}


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_comes_back_as_it_was_typed(kind, contact, cast, sign_in, tmp_path):
    typed, shown, condition = VALUES[kind]
    extra = {"choices": CHOICES} if "select" in kind else {"target": "company"} if kind == "link" else {}
    make_field("own", kind, "Own", **extra)
    if kind == "link":
        make_company("Fleetly")
    client, url = sign_in("rep"), f"/contact/{contact.public_id}/field/own"
    assert client.post(url, {"own": cast.rep.pk if kind == "user" else typed}).status_code == 302
    stored = Contact.objects.get(pk=contact.pk).custom["own"]

    page = client.get("/contact", {"view": "all", "columns": "name,own", "where": condition, "sort": "own"})
    assert shown in page.content.decode()
    assert "Without" not in page.content.decode()
    assert shown in client.get(f"/contact/{contact.public_id}").content.decode()

    file = tmp_path / "out.csv"
    call_command("export_contacts", workspace="acme", columns="external_id,own", where=condition, output=str(file))
    (row,) = csv.DictReader(io.StringIO(file.read_text()))
    with in_workspace(cast.acme):
        Contact.objects.filter(pk=contact.pk).update(custom={})
    call_command("import_contacts", str(file), workspace="acme")
    assert Contact.objects.get(pk=contact.pk).custom["own"] == stored
    assert row["external_id"] == "ana"
