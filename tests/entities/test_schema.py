"""One case-insensitive namespace per entity; cached, it costs no statement."""

import pytest
from django.db import transaction

from crm.entities.fields import Field, FieldType
from crm.entities.models import CustomField
from crm.entities.registry import Entity
from crm.entities.schema import UnknownField, schema
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.entities.verbs.restore_custom_field import restore_custom_field
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit.actor import system
from crm.kit.scope import NoWorkspace, in_workspace
from tests.conditions.cast import make_workspace


def rating(**changes):
    return CustomField(**{"entity": "person", "key": "rating", "label": "Rating", "type": "number", **changes})


@pytest.mark.parametrize(
    "name", ["lifecycle_stage", "Lifecycle Stage", " lifecycle   STAGE ", "stage", "[Lifecycle Stage]"]
)
def test_a_field_answers_to_key_label_and_api_name(workspace, name):
    assert schema("person").find(name).key == "lifecycle_stage"
    assert name in schema("person")


def test_an_unknown_name_has_a_nearest_one(workspace):
    assert schema("person").find("lifecycle stag") is None
    assert schema("person").nearest("lifecycle stag") == "Lifecycle Stage"
    assert schema("person").nearest("qqq") == ""


def test_a_path_follows_links_and_says_where_it_breaks(workspace):
    path = schema("person").path("manager.[Company].fleet size")
    assert (path.key, path.label) == ("manager.company.fleet_size", "Manager / Company / Fleet size")
    assert path.field.type is FieldType.NUMBER
    with pytest.raises(UnknownField) as caught:
        schema("person").path("manager.compny.fleet_size")
    assert (caught.value.name, caught.value.position, caught.value.suggestion) == ("compny", 1, "Company")


def test_a_warm_schema_costs_no_statement_and_a_saved_field_is_seen_at_once(workspace, django_assert_num_queries):
    schema("person")
    with django_assert_num_queries(0):
        assert schema("person").find("rating") is None
    save_custom_field(rating(), by=system(workspace.pk))
    with django_assert_num_queries(1):
        assert schema("person").find("RATING").custom
        assert [field.key for field in schema("person")][-1] == "rating"


def test_a_rolled_back_field_is_never_served_from_memory(workspace):
    before = workspace.schema_version
    with pytest.raises(RuntimeError), transaction.atomic():
        save_custom_field(rating(), by=system(workspace.pk))
        assert "rating" in schema("person")
        raise RuntimeError
    workspace.refresh_from_db()
    assert workspace.schema_version == before
    save_custom_field(rating(key="size", label="Size"), by=system(workspace.pk))
    assert "rating" not in schema("person")
    assert "size" in schema("person")


def test_each_workspace_has_its_own_fields(workspace):
    save_custom_field(rating(), by=system(workspace.pk))
    with in_workspace(make_workspace("globex")):
        assert "rating" not in schema("person")
    with in_workspace(None), pytest.raises(NoWorkspace):
        schema("person")


def test_an_archived_field_leaves_the_schema_until_it_is_restored(workspace):
    field = save_custom_field(rating(), by=system(workspace.pk))
    archive_custom_field(field, by=system(workspace.pk))
    assert "rating" not in schema("person")
    with pytest.raises(UnknownField, match="archived"):
        schema("person").path("Rating")
    restore_custom_field(field, by=system(workspace.pk))
    assert "rating" in schema("person")


def test_a_declared_field_wins_over_a_custom_one_of_its_name(workspace):
    """An upgrade may add a field with an admin's name: both stay reachable, the custom one by key."""
    CustomField.objects.create(entity="person", key="old_title", label="Job title", type="text")
    workspace.schema_version += 1
    found = schema("person")
    assert found.find("Job title").key == "title"
    assert found.written(found.find("old_title")) == "old_title"


def test_two_fields_of_one_name_are_refused_at_start():
    entity = Entity("thing", "language.Firm", "Thing", "Things", "thing")
    entity.add(Field("name", "Name", FieldType.TEXT, api="fullName"))
    with pytest.raises(ValueError, match="already has a field"):
        entity.add(Field("other", "FULLNAME", FieldType.TEXT))
