"""Admins create, edit, archive and restore fields; changes that would break stored values or names are refused."""

import pytest

from crm.entities.models import CustomField
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.entities.verbs.restore_custom_field import restore_custom_field
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit.actor import Actor, Channel, Role, system
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.scope import WrongWorkspace
from tests.conditions.app.models import Person

COLOURS = [{"value": "red", "label": "Red"}, {"value": "blue", "label": "Sky blue"}]


def field(**changes):
    return CustomField(**{"entity": "person", "key": "colour", "label": "Colour", "type": "text", **changes})


@pytest.fixture
def admin(workspace):
    return system(workspace.pk)


@pytest.mark.parametrize(
    ("changes", "attribute", "sentence"),
    [
        ({"key": "Colour"}, "key", "lowercase letters"),
        ({"key": ""}, "key", "blank"),
        ({"key": "name"}, "key", "“name” is already a name of the field Name."),
        ({"key": "stage"}, "key", "Lifecycle Stage"),
        ({"label": "JOB  title"}, "label", "“job title” is already a name"),
        ({"label": "lastactivity"}, "label", "Last activity"),
        ({"label": "a [b]"}, "label", "square brackets"),
        ({"label": "x" * 81}, "label", "80"),
        ({"type": "sorcery"}, "type", "not a valid choice"),
        ({"entity": "nothing"}, "entity", "The record type “nothing” doesn’t exist."),
        ({"entity": "note"}, "entity", "Notes can’t have custom fields."),
        ({"type": "select"}, "choices", "at least one option"),
        ({"type": "select", "choices": ["red"]}, "choices", "a value and a label"),
        ({"type": "select", "choices": [*COLOURS, {"value": "RED", "label": "Crimson"}]}, "choices", "Two options"),
        ({"choices": COLOURS}, "choices", "Only select fields"),
        ({"type": "link"}, "target", "Choose a linked record type"),
        ({"type": "link", "target": "nothing"}, "target", "Choose a linked record type"),
        ({"target": "firm"}, "target", "Only link fields"),
    ],
)
def test_bad_input_gets_a_sentence_under_its_attribute(admin, changes, attribute, sentence):
    with pytest.raises(Invalid) as caught:
        save_custom_field(field(**changes), by=admin)
    assert sentence in caught.value.errors[attribute]
    assert not CustomField.objects.exists()


def test_names_of_other_custom_fields_are_taken_even_archived(admin):
    archive_custom_field(save_custom_field(field(), by=admin), by=admin)
    with pytest.raises(Invalid, match=r"Colour \(archived\)"):
        save_custom_field(field(key="other"), by=admin)


def test_a_field_may_be_renamed_but_not_retyped(admin):
    made = save_custom_field(field(), by=admin)
    made.label = "Color"
    assert save_custom_field(made, by=admin).label == "Color"
    made.type = "number"
    with pytest.raises(Invalid, match="A field’s type can’t be changed"):
        save_custom_field(made, by=admin)


@pytest.mark.parametrize(("type_", "value"), [("select", "red"), ("multi_select", ["blue", "red"])])
def test_a_choice_that_records_hold_stays(admin, type_, value):
    made = save_custom_field(field(type=type_, choices=COLOURS), by=admin)
    person = Person.objects.create(name="Ann", public_id="person_1", custom={"colour": value})
    made.choices = COLOURS[1:]
    with pytest.raises(Invalid, match="“Red” is still in use"):
        save_custom_field(made, by=admin)
    person.custom = {}
    person.save()
    assert save_custom_field(made, by=admin).choices == COLOURS[1:]


def test_only_admins_of_the_workspace_change_fields(workspace, admin):
    made = save_custom_field(field(), by=admin)
    manager = Actor(workspace.pk, 1, Role.MANAGER, Channel.WEB)
    for verb in (save_custom_field, archive_custom_field, restore_custom_field):
        with pytest.raises(NotAllowed):
            verb(made, by=manager)
        with pytest.raises(WrongWorkspace):
            verb(made, by=system(workspace.pk + 1))


def test_archiving_twice_changes_nothing(workspace, admin):
    made = archive_custom_field(save_custom_field(field(), by=admin), by=admin)
    version, at = workspace.schema_version, made.archived_at
    assert archive_custom_field(made, by=admin).archived_at == at
    assert workspace.schema_version == version
    assert restore_custom_field(made, by=admin).archived_at is None
    assert workspace.schema_version != version
