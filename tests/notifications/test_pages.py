"""The bell, its page, its settings."""

from datetime import timedelta

import pytest

from audit.models import Entry
from contacts.models import Contact
from crm.kit import clock
from crm.kit.errors import Invalid
from crm.notifications.kinds import NOTIFICATION_KINDS
from crm.notifications.models import Notification, Preference
from crm.notifications.verbs.choose_channels import choose_channels
from crm.records.verbs.assign import assign
from tests.factories import make_contact, rows

pytestmark = [pytest.mark.usefixtures("acme"), pytest.mark.once]


@pytest.fixture
def give(cast, actor):
    """`give("Ana", …)` assigns new contacts to the rep one by one and returns the notifications."""

    def given(*names) -> list[Notification]:
        for minutes, name in enumerate(names):
            contact = make_contact(name)
            with clock.at(clock.now() - timedelta(minutes=100 - minutes)):
                assign(rows(contact), cast.rep, by=actor("manager"))
        return list(Notification.objects.order_by("id"))

    return given


def test_the_bell_counts_what_is_unread(give, sign_in):
    client = sign_in("rep")
    assert 'aria-label="Notifications"' in client.get("/").content.decode()
    give("Ana", "Bo")
    assert 'aria-label="Notifications, 2 unread"' in client.get("/").content.decode()
    assert "unread" not in sign_in("mate").get("/").content.decode()


def test_the_bell_opens_the_latest_ten(give, sign_in):
    give(*(f"Person {number}." for number in range(12)))
    part = sign_in("rep").get("/notification", headers={"HX-Request": "true"}).content.decode()
    assert part.count("<li") == 10
    assert part.index("Person 11.") < part.index("Person 2.")
    assert "Person 1." not in part
    assert "<html" not in part


def test_the_page_goes_on_by_key(give, sign_in, monkeypatch):
    monkeypatch.setattr("crm.notifications.inbox.PAGE", 2)
    give("Ana Ruiz", "Bea Ruiz", "Cleo Ruiz")
    client = sign_in("rep")
    first = client.get("/notification")
    assert "Cleo" in first.content.decode()
    assert "Ana" not in first.content.decode()
    second = client.get("/notification", {"before": first.context["cursor"]}).content.decode()
    assert "Ana" in second
    assert "Bea" not in second
    assert "Earlier" not in second
    assert client.get("/notification?before=nonsense").status_code == 400


def test_opening_one_reads_it_and_leads_to_the_record(give, sign_in):
    (item,) = give("Ana")
    client = sign_in("rep")
    answer = client.get(f"/notification/{item.public_id}/open")
    assert answer.url.startswith("/contact/contact_")
    item.refresh_from_db()
    assert item.read_at
    assert "Ana" not in client.get("/notification").content.decode()
    assert "Ana" in client.get("/notification?show=all").content.decode()


def test_nobody_opens_another_s(give, sign_in):
    (item,) = give("Ana")
    assert sign_in("manager").get(f"/notification/{item.public_id}/open").status_code == 404
    item.refresh_from_db()
    assert item.read_at is None


def test_what_cannot_be_seen_any_more_is_not_named(give, cast, actor, sign_in):
    (item,) = give("Ana Ruiz")
    assign(Contact.objects.filter(pk=item.entity_id), cast.mate, by=actor("manager"), team=cast.nordics)
    client = sign_in("rep")
    page = client.get("/notification").content.decode()
    assert "Ana Ruiz" not in page
    assert "assigned a record to you" in page
    assert "You no longer have access to this record." in page
    answer = client.get(f"/notification/{item.public_id}/open", follow=True)
    assert answer.redirect_chain == [("/notification", 302)]
    assert "You no longer have access to this record." in answer.content.decode()


def test_all_are_read_and_unread_again(give, cast, actor, sign_in):
    old, new = give("Ana", "Bo")
    assign(rows(make_contact()), cast.mate, by=actor("manager"))
    client = sign_in("rep")
    client.get(f"/notification/{old.public_id}/open")
    page = client.post("/notification/read", follow=True)
    assert "All notifications marked as read." in page.content.decode()
    unread = Notification.objects.filter(read_at=None)
    assert [item.recipient for item in unread] == [cast.mate]
    undo = page.content.decode().split('action="/notification/unread/')[1].split('"')[0]
    assert "1 notification marked" in client.post(f"/notification/unread/{undo}", follow=True).content.decode()
    assert new in unread.all()
    assert old not in unread.all()
    assert client.post(f"/notification/unread/{10**30}").status_code == 404


def test_choices_are_saved_shown_and_audited(cast, actor, sign_in):
    client = sign_in("rep")
    page = client.get("/settings/notifications/").content.decode()
    assert "@rep" in page
    chosen = {"assigned": "digest", "mentioned": "nothing", "task_due": "mail"}
    chosen = {kind.name: "bell" for kind in NOTIFICATION_KINDS.values()} | chosen
    assert client.post("/settings/notifications/", chosen).status_code == 302
    assert client.post("/settings/notifications/", chosen | {"assigned": "bell"}).status_code == 302
    assert Preference.objects.get(member=cast.rep).channels == chosen | {"assigned": "bell"}
    first, second = Entry.objects.filter(event="preference.updated").order_by("id")
    assert first.new_values == {"member": cast.rep.pk, "channels": chosen}
    assert second.old_values == {"channels": chosen}
    assert second.member_id == cast.rep.pk
    assert client.post("/settings/notifications/", chosen | {"assigned": "fax"}).status_code == 422


def test_a_kind_or_a_way_that_there_is_not_is_refused(actor):
    with pytest.raises(Invalid, match="type of notification doesn’t exist"):
        choose_channels({"birthday": "bell"}, by=actor("rep"))
    with pytest.raises(Invalid, match="“fax” isn’t a notification channel"):
        choose_channels({"assigned": "fax"}, by=actor("rep"))
