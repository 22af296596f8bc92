"""Two admins demote each other concurrently: one stays. Only PostgreSQL shows the race."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from crm.kit.actor import Channel, Role
from crm.kit.errors import Refused
from crm.kit.scope import in_workspace
from crm.users.models import Membership
from crm.users.verbs.change_role import change_role
from tests.conftest import make_member


def demote(workspace, member, start, refused):
    try:
        with in_workspace(workspace):
            start.wait()
            change_role(member, Role.REP, by=member.actor(Channel.WEB))
    except Refused as error:
        refused.append(str(error))
    finally:
        connection.close()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_one_admin_is_left(attempt, cast):
    second = make_member(cast.acme, "second", Role.ADMIN)
    start, refused = Barrier(2), []
    threads = [Thread(target=demote, args=(cast.acme, m, start, refused)) for m in (cast.admin, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with in_workspace(cast.acme):
        assert Membership.objects.admins().count() == 1
    assert len(refused) == 1
