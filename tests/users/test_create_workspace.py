"""manage.py create_workspace"""

import json
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from crm.kit.scope import in_workspace
from crm.users.models import Membership, Workspace

pytestmark = pytest.mark.django_db


def run(capsys, *args) -> dict:
    call_command("create_workspace", *args, "--json")
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_printed_link_makes_the_first_admin(capsys):
    report = run(capsys, "initech", "--admin", "Boss@Initech.example", "--currency", "usd")
    assert (report["created"], report["admin"]) == (True, "boss@initech.example")
    path = urlsplit(report["link"]).path
    client = Client()
    assert client.post(path, {"name": "Bill", "password": "a-good-passphrase"}).status_code == 302
    assert client.get("/settings/people/").status_code == 200
    assert Workspace.objects.get().currency == "USD"


def test_again_is_safe_and_gives_a_fresh_link(capsys):
    first = run(capsys, "initech", "--admin", "boss@initech.example")
    second = run(capsys, "initech", "--admin", "boss@initech.example")
    assert second["created"] is False
    assert second["link"] not in ("", first["link"])


def test_who_has_an_account_becomes_admin_at_once(capsys, cast):
    assert run(capsys, "initech", "--admin", "rep@acme.example")["link"] == ""
    assert run(capsys, "acme", "--admin", "rep@acme.example")["link"] == ""
    with in_workspace(cast.acme):
        assert Membership.objects.get(user=cast.rep.user).role == "admin"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["Bad Slug", "--admin", "a@b.example"], "isn’t a valid slug"),
        (["initech", "--admin", "nobody"], "isn’t a valid email address"),
        (["initech", "--admin", "a@b.example", "--timezone", "Mars/One"], "isn’t a valid time zone"),
    ],
)
def test_nonsense_is_named_and_leaves_nothing(args, sentence):
    with pytest.raises(CommandError, match=sentence) as refused:
        call_command("create_workspace", *args)
    assert refused.value.returncode == 2
    assert not Workspace.objects.exists()
