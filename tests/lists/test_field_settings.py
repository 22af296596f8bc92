"""Admins create, change, archive and restore fields on the settings pages, without the admin site."""

import pytest

from contacts.models import Contact
from crm.entities.models import CustomField
from crm.entities.schema import schema
from crm.entities.settings_forms import key_of
from tests.factories import make_contact

pytestmark = pytest.mark.once
NEW = "/settings/fields/new/?entity=contact"


def form(*options: tuple[str, str, str], **values) -> dict:
    """What the form sends; each option is its stored value, label and color, in this order unless `values` say so."""
    data = {"option-TOTAL_FORMS": len(options), "option-INITIAL_FORMS": 0}
    for number, (value, label, tone) in enumerate(options):
        data |= {f"option-{number}-value": value, f"option-{number}-label": label, f"option-{number}-tone": tone}
    return data | values


@pytest.fixture
def admin(acme, sign_in):
    return sign_in("admin")


@pytest.fixture
def tier(admin, acme) -> CustomField:
    """A select field with three options, made in the browser."""
    options = [("", "Gold", "amber"), ("", "Silver", ""), ("", "", "red"), ("", "Sky blue", "blue")]
    assert admin.post(NEW, form(*options, label="Tier", type="select")).status_code == 302
    acme.refresh_from_db()  # the version of its fields
    return CustomField.objects.get()


def test_a_new_field_is_at_once_in_forms_lists_and_filters(admin, tier, sign_in):
    assert (tier.key, [choice["value"] for choice in tier.choices]) == ("tier", ["gold", "silver", "sky_blue"])
    assert [choice.tone for choice in schema("contact").field("tier").choices] == ["amber", "", "blue"]
    contact, rep = make_contact("Ana Ruiz"), sign_in("manager")
    assert "Sky blue" in rep.get("/contact/new").content.decode()
    assert rep.post(f"/contact/{contact.public_id}/field/tier", {"tier": "gold"}).status_code == 302
    page = rep.get("/contact", {"view": "all", "columns": "name,tier", "where": "tier = Gold"}).content.decode()
    assert '<span class="badge tone-amber">Gold</span>' in page
    assert "Ana Ruiz" in page
    assert 'value="tier"' in rep.get("/contact/filter").content.decode()
    assert "1 record has a value" in " ".join(admin.get(f"/settings/fields/{tier.pk}/").content.decode().split())


def test_options_are_renamed_reordered_and_removed(admin, tier):
    url = f"/settings/fields/{tier.pk}/"
    order = {"option-0-ORDER": 3, "option-1-ORDER": 2, "option-2-ORDER": 1}
    options = [("gold", "Oro", "amber"), ("silver", "Silver", ""), ("sky_blue", "", "")]
    assert admin.post(url, form(*options, label="Level", **order)).status_code == 302
    tier.refresh_from_db()
    assert tier.label == "Level"
    assert tier.choices == [{"value": "silver", "label": "Silver"}, {"value": "gold", "label": "Oro", "tone": "amber"}]


def test_an_option_that_records_hold_is_not_removed(admin, tier):
    make_contact("Ana", tier="gold")
    response = admin.post(f"/settings/fields/{tier.pk}/", form(("silver", "Silver", ""), label="Tier"))
    assert response.status_code == 422
    assert "“Gold” is still in use" in response.content.decode()
    assert len(CustomField.objects.get().choices) == 3


def test_an_archived_field_comes_back_with_its_values(admin, tier, sign_in):
    contact = make_contact("Ana", tier="gold")
    admin.post(f"/settings/fields/{tier.pk}/archive/")
    assert "tier" not in admin.get("/contact/new").content.decode()
    assert "Archived fields" in admin.get("/settings/fields/?entity=contact").content.decode()
    admin.post(f"/settings/fields/{tier.pk}/restore/")
    assert Contact.objects.get(pk=contact.pk).custom == {"tier": "gold"}
    assert "tier" in admin.get("/contact/new").content.decode()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"label": "", "type": "text"}, "This field is required."),
        ({"label": "Email", "type": "text"}, "is already a name of the field Email"),
        ({"label": "Tier", "type": "select"}, "Add at least one option."),
        ({"label": "Tier", "type": "sorcery"}, "Select a valid choice"),
        ({"label": "Plan", "type": "link"}, "Choose a linked record type"),
        ({"label": "Plan", "type": "text", "key": "My key"}, "Use lowercase letters"),
    ],
)
def test_bad_input_gets_a_sentence(admin, values, sentence):
    response = admin.post(NEW, form(**values))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not CustomField.objects.exists()


@pytest.mark.parametrize(
    "options",
    [
        {"option-0-label": "x" * 81, "option-TOTAL_FORMS": 1},
        {"option-0-label": "Gold", "option-0-ORDER": "first", "option-TOTAL_FORMS": 1},
        {"option-0-label": "Gold", "option-0-tone": "pink", "option-TOTAL_FORMS": 1},
        {"option-TOTAL_FORMS": "many"},
    ],
)
def test_bad_options_are_said(admin, options):
    response = admin.post(NEW, form(label="Tier", type="select") | options)
    assert response.status_code == 422
    assert "Check the options." in response.content.decode()
    assert not CustomField.objects.exists()


@pytest.mark.parametrize(
    ("label", "key"),
    [("Fleet size", "fleet_size"), ("Größe (m²)", "grosse_m2"), ("2nd phone", "field_2nd_phone"), ("顧客", "field")],
)
def test_a_key_is_made_from_the_label(label, key):
    assert key_of(label) == key


def test_type_and_key_are_asked_for_once(admin, tier):
    page = admin.get(f"/settings/fields/{tier.pk}/").content.decode()
    assert 'name="type"' not in page
    assert 'name="key"' not in page
