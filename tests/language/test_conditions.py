"""Conditions are typed with one language's labels, stored by key, and shown in another language."""

from crm.conditions.parse import parse
from crm.kit.language import speaking
from crm.lists.verbs.save_view import save_view


def test_typed_in_german_and_read_in_english(acme, cast, actor, sign_in):
    with speaking("de"):
        typed = parse("Lebenszyklusphase = Qualifiziert and E-Mail is not empty", "contact")
        assert typed.label_text == "Lebenszyklusphase = Qualifiziert and E-Mail is not empty"
    assert typed.key_text == "lifecycle_stage = qualified and email is not empty"
    assert parse(typed.key_text, "contact").label_text == "Lifecycle Stage = Qualified and Email is not empty"
    with speaking("de"):
        view = save_view("contact", "Bereit", by=actor("manager"), condition=typed.label_text, shared=True)
    assert view.condition == typed.key_text
    page = sign_in("manager").get(f"/contact?view={view.slug}")
    assert page.status_code == 200 and not page.context["state"].error


def test_english_labels_are_understood_in_german(acme):
    with speaking("de"):
        assert parse("Lifecycle Stage = Qualified", "contact").key_text == "lifecycle_stage = qualified"
