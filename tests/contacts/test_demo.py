"""A year of demo sales, of a workspace of any size."""

import pytest

from contacts.demo import History
from contacts.models import Company, Contact
from crm.kit.scope import in_workspace


@pytest.mark.parametrize("people", [0, 1, 8, 12])
def test_a_small_workspace_has_its_year_too(people, acme, cast):
    members = {name: getattr(cast, name) for name in ("rep", "mate", "outsider", "manager", "admin")}
    History(members, people=people, companies=1, seed=2).write()
    twins = Contact.objects.filter(merged_into__isnull=False).count()
    assert Contact.objects.count() - twins == people
    assert Company.objects.count() == 1


def test_a_workspace_with_one_who_sells(cast):
    with in_workspace(cast.globex):
        History({"rep": cast.globex_rep, "admin": cast.globex_admin}, people=20, companies=3, seed=2).write()
        assert Contact.objects.live().filter(owner=cast.globex_rep).count() >= 20
