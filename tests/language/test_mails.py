"""Every email in a pseudo-language: subject, text and HTML."""

from types import SimpleNamespace

import pytest
from django.core import mail
from django.test import Client

from contacts.models import Contact
from crm.campaigns.models import CampaignPerson
from crm.campaigns.sending import deliver
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.campaigns.verbs.try_campaign import try_campaign
from crm.dashboards.handlers import mail_dashboard
from crm.dashboards.models import Subscription
from crm.kit.actor import Role
from crm.kit.scope import in_workspace
from crm.notifications.kinds import NOTIFICATION_KINDS
from crm.notifications.mails import send
from crm.notifications.models import Notification
from crm.users.models import Membership, User
from crm.users.verbs.invite import invite
from tests.conftest import PASSWORD
from tests.language.pseudo import CODE, WORD, outside, untranslated, words_of_data

pytestmark = [pytest.mark.once, pytest.mark.django_db]
URL = r"https?://\S+"


@pytest.fixture
def letters(pseudo, cast):
    """Check that emails sent have no untranslatable word."""
    mail.outbox.clear()
    with in_workspace(cast.acme):
        yield
    data = words_of_data() | {"https", "http", "localhost", "testserver", "utf"}
    assert mail.outbox
    for letter in mail.outbox:
        bare = outside(f"{letter.subject}\n{letter.body}")[0]
        lines = [" ".join(w for w in line.split() if "://" not in w and "@" not in w) for line in bare.splitlines()]
        assert not [line for line in lines if set(WORD.findall(line)) - data], letter.subject
        for html, _ in getattr(letter, "alternatives", ()):
            assert not untranslated(html, data), letter.subject


@pytest.mark.parametrize("daily", [False, True])
def test_notifications(daily, world, letters):
    member = Membership.objects.select_related("user", "workspace").get(pk=world.own.member.pk)
    about = {"change": world.own.change, "recipient": member, "entity": "contact", "entity_id": world.own.contact.pk}
    at = world.own.notification.at
    for kind in NOTIFICATION_KINDS.values():
        seen = Notification.objects.create(kind=kind.name, key=f"{kind.name}-{daily}", at=at, **about)
        lost = Notification(kind=kind.name, key="x", at=at, **(about | {"entity_id": 999_999}))
        lost.public_id, lost.pk = seen.public_id, seen.pk
        for news in (seen, lost):
            send([news], member, key="k", daily=daily)
    send(list(Notification.objects.filter(recipient=member)), member, key="k", daily=daily)


def test_a_dashboard(world, cast, letters):
    wanted = Subscription.objects.create(member=cast.manager, every="week", days=30)
    mail_dashboard(SimpleNamespace(entity_id=wanted.pk, pk=1), by=cast.manager.actor("system"))


def test_an_invitation(world, cast, letters, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        invite("new@acme.example", role=Role.REP, team=None, site="http://localhost", by=cast.admin.actor("web"))


def test_a_campaign(world, cast, letters):
    by = cast.admin.actor("web")
    Contact.objects.filter(pk=world.own.contact.pk).update(marketing_consent="Given")
    try_campaign(world.own.campaign, by=by)
    send_campaign(world.own.campaign, by=cast.admin.actor("web"))
    for person in CampaignPerson.objects.filter(contact=world.own.contact):
        deliver(person.pk, by=cast.admin.actor("system"))


def test_what_concerns_an_account(world, cast, letters):
    stranger, client = Client(HTTP_ACCEPT_LANGUAGE=CODE), Client(HTTP_ACCEPT_LANGUAGE=CODE)
    for email in ("rep@acme.example", "nobody@acme.example"):
        stranger.post("/accounts/password/reset/", {"email": email})
    assert len(mail.outbox) == 2
    client.post("/accounts/login/", {"login": cast.rep.user.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    passwords = {"oldpassword": PASSWORD, "password1": "another-good-one", "password2": "another-good-one"}
    client.post("/accounts/password/change/", passwords)
    assert User.objects.get(pk=cast.rep.user.pk).check_password("another-good-one")
    client.post("/accounts/email/", {"email": "else@acme.example", "action_add": ""})
    client.post("/accounts/2fa/recovery-codes/generate/")
    assert len(mail.outbox) > 3
