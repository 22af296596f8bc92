"""Database constraints reject links between workspaces, for every foreign key (S3)."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from crm.files.models import OWNERS
from crm.kit.logged import Logged
from crm.kit.scope import WrongWorkspace, in_workspace
from crm.users.integrity import links
from crm.users.models import Owned, Workspace

LINKS = sorted(links(), key=str)
OWNED = [model for model in apps.get_models() if issubclass(model, Owned)]
# Global tables, without a workspace; a link to one cannot cross.
GLOBAL = {"users.User", "users.Workspace"}

# Nullable links of which one must be set.
KEYS = {"opportunities.Opportunity": {"pipeline": "sales", "stage": "prospecting", "stage_kind": "open"}}
OWNERS_OF = {
    "opportunities.Opportunity": {"contact_id", "company_id"},
    "contacts.Activity": {"contact_id", "company_id"},
    "files.Attachment": {f"{link}_id" for link in OWNERS},
}


def test_every_foreign_key_between_rows_of_workspaces_is_covered():
    uncovered = [
        field
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and (issubclass(model, Owned | Logged) or issubclass(field.related_model, Owned | Logged))
        and field not in LINKS
        and field.related_model._meta.label not in GLOBAL
    ]
    # A user's open workspace: checked on each request, because a User belongs to none.
    assert [str(field) for field in uncovered] == ["users.User.membership"]
    assert len(LINKS) >= 15


@pytest.mark.postgres
@pytest.mark.django_db
def test_no_link_is_checked_twice():
    """The composite key covers Django's own key on the column, which cost as much again per row."""
    with connection.cursor() as cursor:
        for link in LINKS:
            found = connection.introspection.get_constraints(cursor, link.model._meta.db_table).values()
            keys = [one["columns"] for one in found if one["foreign_key"] and link.column in one["columns"]]
            assert keys == [["workspace_id", link.column]], str(link)


@pytest.fixture
def two(cast):
    """Return the ids of both workspaces, with unrelated foreign keys unchecked."""
    return cast.acme.pk, cast.globex.pk


def value_for(field: models.Field, workspace: int, number: int):
    """Return a valid value for a column."""
    if field.column == "workspace_id":
        return workspace
    if field.has_default() and not field.is_relation and field.get_default() not in (None, ""):
        return field.get_db_prep_save(field.get_default(), connection)
    if field.null:
        return None
    if isinstance(field, models.DateField):
        return timezone.now()
    if isinstance(field, models.JSONField):
        return "{}"
    if isinstance(field, models.BooleanField):
        return True
    if isinstance(field, models.DecimalField):
        return 1
    if isinstance(field, models.UUIDField):
        return f"{number:032x}"  # valid text on both engines
    choices = getattr(field, "choices", None)
    if choices:
        return choices[0][0]
    if isinstance(field, models.CharField | models.TextField):
        return "" if field.blank else f"{number}"[-(field.max_length or 9) :]
    return number


counter = iter(range(10_000, 100_000))


def insert(model: type[models.Model], workspace: int, **columns) -> int:
    """INSERT a row by raw SQL, with rows for its other mandatory keys; return its id."""
    number = next(counter)
    row = {}
    columns = KEYS.get(model._meta.label, {}) | columns
    for field in (field for field in model._meta.concrete_fields if not field.generated):
        if field.column in columns:
            row[field.column] = columns[field.column]
        elif isinstance(field, models.ForeignKey) and field.column != "workspace_id" and not field.null:
            row[field.column] = insert(field.related_model, workspace)
        else:
            row[field.column] = number if field.primary_key else value_for(field, workspace, number)
    owners = OWNERS_OF.get(model._meta.label, set())
    if owners and not owners & {column for column, value in row.items() if value}:
        row["contact_id"] = insert(apps.get_model("contacts.Contact"), workspace)
    if model._meta.label == "leads.Lead" and row["opportunity_id"]:
        row |= {"status": "converted", "stage": "opportunity", "converted_date": timezone.now()}
    names = ", ".join(f'"{name}"' for name in row)
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(row))
        cursor.execute(f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks})', list(row.values()))
    return number


def update(model: type[models.Model], pk: int, column: str, value: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE "{model._meta.db_table}" SET "{column}" = %s WHERE id = %s', [value, pk])


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_a_link_is_refused_on_insert_on_update_and_when_either_end_moves(link, two):
    here, there = two
    target, stranger = insert(link.related_model, here), insert(link.related_model, there)
    row = insert(link.model, here, **{link.column: target})
    connection.check_constraints()
    for write in (
        lambda: insert(link.model, here, **{link.column: stranger}),
        lambda: update(link.model, row, link.column, stranger),
        lambda: update(link.model, row, "workspace_id", there),
        lambda: update(link.related_model, target, "workspace_id", there),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            write()
            connection.check_constraints()
    update(link.model, row, link.column, target)


def test_the_door_refuses_before_the_database_does(cast):
    with in_workspace(cast.acme):
        for model in OWNED:
            with pytest.raises(WrongWorkspace):
                model(workspace=cast.globex).save()
            with pytest.raises(WrongWorkspace):
                model.objects.update(workspace=Workspace(pk=cast.globex.pk))
