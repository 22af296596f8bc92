"""Forms are submitted once: every creating form has a one-time key, checked by the server."""

import re
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import transaction

from audit.models import Entry
from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import Role
from crm.kit.scope import in_workspace
from crm.users.jobs import forget_submissions
from crm.users.models import Submission, Team
from crm.users.once import OneTimeKey
from tests.security import world as worlds
from tests.security.matrix import MATRIX, url
from tests.threads import at_once

# Written by every request, with or without a change.
BESIDE = {"Session", "UserSession", "Submission", "Entry", "Event", "Transition", "Seal", "Delivery", "ContentType"}
FORM = re.compile(r'<form[^>]*method="post".*?</form>', re.DOTALL | re.IGNORECASE)
# Forms outside a workspace, or allauth's, with their own rules: an email address has one account.
OUTSIDE = re.compile(r'action="/(accounts|settings/theme|workspaces)/|id="logout-form"')


@pytest.fixture
def world(cast, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return worlds.build(cast)


def rows() -> Counter[str]:
    ours = [model for model in apps.get_models() if model.__name__ not in BESIDE]
    return Counter({m._meta.label: getattr(m.objects, "unscoped", m.objects.all)().count() for m in ours})


CREATING = sorted(name for name, route in MATRIX.items() if route.post is not None and not route.public)


@pytest.mark.once
@pytest.mark.parametrize("part", range(4))
def test_a_form_that_is_submitted_twice_makes_one_record(part, world, sign_in):
    """Every POST of the product: a new form is tested once it is in the matrix."""
    made_some = 0
    for name in CREATING[part::4]:
        route = MATRIX[name]
        who = "admin" if route.post == Role.ADMIN or name.startswith("admin:") else "manager"
        client, key = sign_in(who), str(uuid4())
        address = url(name, route.args(world.own) if route.args else ())
        before = rows()
        for attempt in (1, 2):
            data = {"once": key} | route.data(world.own)
            answer = client.post(address, {k: v for k, v in data.items() if v is not None})
            assert answer.status_code < 500, name
            if attempt == 1:
                after = rows()
        made_some += after != before
        assert rows() == after, f"{name} made something again: {rows() - after}"
    assert made_some


@pytest.mark.once
@pytest.mark.parametrize("who", ["rep", "admin"])
def test_every_form_of_every_page_carries_a_key(who, world, sign_in):
    client = sign_in(who)
    for name, route in sorted(MATRIX.items()):
        if route.get is None or route.public or name.startswith(("account_", "mfa_", "usersessions_", "admin")):
            continue
        answer = client.get(url(name, route.args(world.own) if route.args else ()))
        if answer.streaming or "html" not in answer.get("Content-Type", ""):
            continue
        for form in FORM.findall(answer.content.decode()):
            assert OUTSIDE.search(form) or re.search(r'name="once" value="[0-9a-f]{32}"', form), f"{name}: {form[:200]}"


FACTS = {"name": "Ana Ruiz", "email": "ana@x.example", "once": "one"}


def test_the_second_click_leads_to_what_the_first_made(acme, sign_in):
    client = sign_in("rep")
    first = client.post("/contact/new", FACTS)
    contact = Contact.objects.get()
    assert first["Location"] == contact.get_absolute_url()
    assert client.post("/contact/new", FACTS)["Location"] == contact.get_absolute_url()
    note = {"kind": "note", "subject": "Met", "priority": "normal", "once": "two"}
    for _ in range(20):
        answer = client.post(f"{contact.get_absolute_url()}/activity", note)
        assert answer["Location"] == contact.get_absolute_url()
    assert contact.activities.count() == 1
    admin, team = sign_in("admin"), {"name": "Nordics 2", "once": "three"}
    led = [admin.post("/settings/teams/", team)["Location"] for _ in range(2)]
    assert led == ["/settings/teams/"] * 2 and Team.objects.filter(name="Nordics 2").count() == 1


def test_an_address_that_follows_from_what_was_made_is_not_written_again(acme, sign_in):
    """It would be a second transaction, which on SQLite would wait beside an import like the first."""
    client = sign_in("admin")
    for address, facts in (("/contact/new", FACTS), ("/settings/teams/", {"name": "Nordics 2", "once": "two"})):
        client.post(address, facts)
    assert list(Submission.objects.order_by("pk").values_list("url", flat=True)) == ["", "/settings/teams/"]


def test_a_form_that_was_refused_can_be_corrected_and_a_changed_one_sent_again(acme, sign_in):
    client = sign_in("rep")
    assert client.post("/contact/new", {"once": "one", "email": "no address"}).status_code == 422
    assert client.post("/contact/new", FACTS).status_code == 302
    # The browser's Back button shows the form with its key again.
    assert client.post("/contact/new", FACTS | {"name": "Ben", "email": "ben@x.example"}).status_code == 302
    assert set(Contact.objects.values_list("name", flat=True)) == {"Ana Ruiz", "Ben"}


def test_a_key_is_one_members_own_and_forgotten_after_days(acme, cast, sign_in):
    sign_in("rep").post("/contact/new", {"name": "Ana", "once": "one"})
    sign_in("mate").post("/contact/new", {"name": "Ana", "once": "one"})
    assert Contact.objects.count() == 2
    forget_submissions(clock.now())
    assert Submission.objects.count() == 2
    forget_submissions(clock.now() + timedelta(days=3))
    assert not Submission.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("facts", [FACTS, {"name": "Ana Ruiz", "once": "one"}], ids=["with a unique email", "alike"])
def test_eight_requests_at_once_make_one_record(facts, cast, sign_in):
    clients = [sign_in("admin") for _ in range(8)]
    answers, errors = at_once(cast.acme, [lambda c=client: c.post("/contact/new", facts) for client in clients])
    teams, failed = at_once(
        cast.acme, [lambda c=client: c.post("/settings/teams/", {"name": "A", "once": "1"}) for client in clients]
    )
    assert not errors + failed
    assert {answer.status_code for answer in teams} == {302}
    with in_workspace(cast.acme):
        assert Team.objects.filter(name="A").count() == 1
        contact = Contact.objects.get()
        assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, contact.get_absolute_url())}
        assert Entry.objects.filter(event="contact.created").count() == 1


def test_a_change_claims_its_key_once_and_again_after_a_rollback(acme, django_assert_num_queries):
    key, change = OneTimeKey("k"), uuid4()
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            key(change)
            1 / 0  # noqa: B018
        assert not Submission.objects.exists()
        key(change)
        with django_assert_num_queries(0):
            key(change)
    assert Submission.objects.get().change == change
