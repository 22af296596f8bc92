"""Parents of companies: no circles, whichever way they are set."""

import pytest

from audit.undo.undo import undo
from contacts.models import Company
from crm.kit.actor import Channel
from crm.kit.errors import Invalid, Refused
from crm.lists.exporting import export_csv, export_paths
from crm.records.verbs.edit import edit
from tests.contacts.files import import_csv
from tests.factories import make_company, rows

CIRCLE = "A company can’t be its own parent, directly or indirectly."


@pytest.fixture
def line(acme):
    """Return three companies, each the parent of the next."""
    top = make_company("Top")
    middle = make_company("Middle", parent=top)
    return top, middle, make_company("Low", parent=middle)


def test_an_edit_closes_no_circle(line, actor):
    top, middle, low = line
    for company, parent in ((top, low), (top, top), (middle, low)):
        with pytest.raises(Invalid, match=CIRCLE):
            edit(rows(company), {"parent": parent.public_id}, by=actor("manager"))
    edit(rows(low), {"parent": top.public_id}, by=actor("manager"))
    assert Company.objects.get(pk=low.pk).parent_id == top.pk


def test_of_many_none_is_the_parent_of_its_parents(line, actor):
    other = make_company("Other")
    with pytest.raises(Invalid, match=CIRCLE):
        edit(rows(line[0], other), {"parent": "Low"}, by=actor("manager"))
    assert Company.objects.get(pk=other.pk).parent_id is None


def test_an_undo_restores_no_parent_that_is_below_by_now(line, actor):
    top, _middle, low = line
    by = actor("manager")
    edit(rows(low), {"parent": None}, by=by)
    edit(rows(top), {"parent": low.public_id}, by=actor("manager"))
    with pytest.raises(Refused, match=CIRCLE):
        undo(by.change, by=actor("manager"))
    assert Company.objects.get(pk=low.pk).parent_id is None


def test_the_form_shows_the_error_at_the_field(line, sign_in):
    top, _middle, low = line
    response = sign_in("manager").post(f"{top.get_absolute_url()}/field/parent", {"parent": low.public_id})
    assert response.status_code == 422
    assert CIRCLE in response.content.decode()


def test_conditions_and_exports_follow_the_parent(line, cast, sign_in):
    _top, _middle, low = line
    page = sign_in("manager").get(
        "/company", {"view": "all", "where": "parent.name = Middle", "columns": "name,parent"}
    )
    assert low.name in page.content.decode() and "Middle" in page.content.decode()
    by = cast.manager.actor(Channel.COMMAND)
    paths = export_paths("company", ["name", "parent", "parent.parent.name"])
    written = "".join(export_csv(Company.objects.filter(pk=low.pk), paths, ["a", "b", "c"], by))
    assert written.split() == ["a,b,c", "Low,Middle,Top"]


def test_a_files_circles_stay_open(acme):
    run = import_csv("name,parent\nA,B\nB,C\nC,A\nD,D\n", entity="company")
    assert (run.created, run.refused) == (3, 1)
    assert run.refusals.get().message == CIRCLE
    parents = dict(Company.objects.values_list("name", "parent__name"))
    assert sorted(parents.values(), key=str).count(None) == 1
    assert any("that company is a subsidiary of this one" in note for note in run.notes)
