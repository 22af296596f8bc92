"""Creating campaigns: rights, audience and texts."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from contacts.verbs.create import create
from contacts.verbs.set_status import set_status
from crm.campaigns.audience import expected
from crm.campaigns.models import Campaign, CampaignPerson
from crm.campaigns.segments import segments
from crm.campaigns.verbs.add_people import add_people
from crm.campaigns.verbs.cancel_campaign import cancel_campaign
from crm.campaigns.verbs.retry_campaign import retry_campaign
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.campaigns.verbs.try_campaign import try_campaign
from crm.kit.errors import InUse, Invalid, NotAllowed, Refused
from crm.lists.verbs.delete_view import delete_view
from crm.lists.verbs.save_view import save_view
from tests.factories import make_contact, rows


def churned(name="", **values):
    return make_contact(name, stage="churned", **({"marketing_consent": "Given"} | values))


def test_a_segment_is_a_view_of_the_workspace_that_asks_for_nobody_in_person(acme, actor):
    save_view("contact", "My own", by=actor("manager"), condition="title = x")
    save_view("contact", "Shared", by=actor("manager"), condition="title = x", shared=True)
    save_view("contact", "Of me", by=actor("manager"), condition="owner = me", shared=True)
    save_view("opportunity", "Deals", by=actor("manager"), shared=True)
    slugs = segments().keys()
    assert {"churned-customers", "all", "contacts_leads", "lost_reapproach", "shared"} == set(slugs)


def test_it_is_kept_and_changed_with_an_entry_each(campaign, actor):
    made = campaign(name="Spring  2027")
    changed = save_campaign(made, {"subject": "Hello"}, by=actor("manager"))
    assert (made.name, changed.subject, changed.status) == ("Spring 2027", "Hello", "draft")
    events = Entry.objects.filter(entity="campaign").order_by("id").values_list("event", "new_values__subject")
    assert list(events) == [("campaign.created", made.subject), ("campaign.updated", "Hello")]


@pytest.mark.parametrize(
    ("values", "key", "sentence"),
    [
        ({"name": " "}, "name", "Enter a name."),
        ({"name": "x" * 101}, "name", "Enter up to 100 characters."),
        ({"segment": "nobody"}, "segment", "was deleted"),
        ({"subject": "Hello {nobody}"}, "subject", "nobody"),
        ({"body": "Hello {name"}, "body", "a bracket isn’t closed"),
        ({"type": "fax"}, "type", "“fax” isn’t a campaign type"),
        ({"owner": 0}, "owner", "active member"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(values, key, sentence, campaign, actor):
    with pytest.raises(Invalid) as wrong:
        campaign(**values)
    assert sentence in wrong.value.errors[key]
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("who", ["viewer", "rep"])
def test_who_is_no_manager_reads_and_does_nothing(who, campaign, actor, sign_in):
    made, by = campaign(), actor(who)
    for verb in (
        lambda: save_campaign(None, {"name": "Mine"}, by=by),
        lambda: send_campaign(made, by=by),
        lambda: cancel_campaign(made, by=by),
        lambda: retry_campaign(made, by=by),
        lambda: try_campaign(made, by=by),
        lambda: add_people(made, rows(make_contact()), by=by),
    ):
        with pytest.raises(NotAllowed, match="Only managers and admins can create and send campaigns"):
            verb()
    page = sign_in(who).get(made.get_absolute_url()).content.decode()
    assert "Spring" in page
    assert "Send test" not in page


def test_the_view_of_an_open_campaign_is_not_deleted(campaign, actor):
    for name in ("Fleet", "Spare"):
        save_view("contact", name, by=actor("manager"), condition="title = x", shared=True)
    made = campaign(segment="fleet")
    with pytest.raises(InUse, match="Campaign “Spring”"):
        delete_view("contact", "fleet", by=actor("manager"))
    delete_view("contact", "spare", by=actor("manager"))
    save_view("contact", "Fleet", by=actor("rep"), slug="fleet")
    delete_view("contact", "fleet", by=actor("rep"))  # the rep's own columns
    cancel_campaign(made, by=actor("manager"))
    delete_view("contact", "fleet", by=actor("manager"))


def test_before_it_is_sent_it_says_how_many_will_get_it_and_why_others_not(campaign, actor):
    churned(), churned()
    churned(marketing_consent="")
    churned(email="")
    for status in ("bounced", "unsubscribed"):
        set_status(rows(churned()), status, by=actor("manager"))
    make_contact(marketing_consent="Given")
    assert expected(campaign(), actor("manager")) == (
        2,
        {"Bounced": 1, "No marketing consent": 1, "No email address": 1, "Unsubscribed": 1},
    )


@pytest.mark.parametrize("missing", ["subject", "body"])
def test_one_that_says_nothing_is_not_sent(missing, campaign, actor):
    churned()
    with pytest.raises(Refused, match="first"):
        send_campaign(campaign(**{missing: ""}), by=actor("manager"))


def test_one_for_nobody_is_not_sent(campaign, actor):
    churned(marketing_consent="")
    with pytest.raises(Refused, match="No eligible recipients"):
        send_campaign(campaign(), by=actor("manager"))
    assert not CampaignPerson.objects.exists()


def test_one_that_is_on_its_way_is_neither_changed_nor_sent_again(campaign, actor):
    churned()
    made = send_campaign(campaign(), by=actor("manager"))
    with pytest.raises(Refused, match="Only drafts"):
        save_campaign(made, {"name": "Else"}, by=actor("manager"))
    with pytest.raises(Refused, match="already been sent or canceled"):
        send_campaign(made, by=actor("manager"))


def test_it_is_sent_to_a_thousand_in_as_many_statements_as_to_ten(campaign, actor):
    counted = []
    for size in (10, 990):
        facts = {"marketing_consent": "Given", "title": f"of {size}"}
        people = [{"name": f"{size} {n}", "email": f"{size}-{n}@x.example"} | facts for n in range(size)]
        create(people, by=actor("manager"))
        save_view("contact", f"Of {size}", by=actor("manager"), condition=f'title = "of {size}"', shared=True)
        draft, by = campaign(segment=f"of-{size}"), actor("manager")
        with CaptureQueriesContext(connection) as captured:
            send_campaign(draft, by=by)
        counted.append(len(captured))
    assert counted[0] == counted[1] < 20
    assert CampaignPerson.objects.filter(state="waiting").count() == 1000


def test_the_people_are_shown_by_state_page_by_page_to_whoever_sees_the_contacts(campaign, actor, sign_in, cast):
    names = {f"Person {n:02}" for n in range(60)}
    for name in names:
        churned(name)
    churned("Northern Secret", team=cast.nordics, owner=cast.outsider)
    churned("Left Behind", marketing_consent="")
    made = send_campaign(campaign(), by=actor("manager"))
    shown = pages(sign_in("rep"), made.get_absolute_url(), "")
    assert len(shown) == 2
    assert all(sum(name in page for page in shown) == 1 for name in names)
    assert "Northern Secret" not in "".join(shown)
    assert "Northern Secret" in "".join(pages(sign_in("manager"), made.get_absolute_url(), ""))
    (left,) = pages(sign_in("rep"), made.get_absolute_url(), "left_out")
    assert "No marketing consent" in left
    assert "Person 00" not in left


def pages(client, url: str, state: str) -> list[str]:
    """Return page after page, following the next link."""
    shown = [client.get(url, {"state": state}).content.decode()]
    while cursor := re.search(r"after=(\d+)", shown[-1]):
        shown.append(client.get(url, {"state": state, "after": cursor[1]}).content.decode())
    return shown


def test_people_are_added_to_a_draft_once(campaign, actor):
    made, contact = campaign(segment=""), make_contact(marketing_consent="Given")
    assert add_people(made, rows(contact), by=actor("manager")).done == [contact.pk]
    assert add_people(made, rows(contact), by=actor("manager")).done == []
    assert expected(made, actor("manager")) == (1, {})
    cancel_campaign(made, by=actor("manager"))
    with pytest.raises(Refused, match="is over"):
        add_people(made, rows(make_contact()), by=actor("manager"))


def test_the_pages_make_change_and_send_one(acme, sign_in, cast):
    churned()
    client = sign_in("manager")
    form = {"name": "Spring", "segment": "churned-customers", "owner": cast.manager.pk, "subject": "Hi", "body": ""}
    assert client.post("/campaign/new", form).status_code == 302
    made = Campaign.objects.get()
    url = made.get_absolute_url()
    assert "Enter content first" in client.post(f"{url}/send", {"confirmed": 1}, follow=True).content.decode()
    assert client.post(f"{url}/edit", form | {"body": "Hello {nobody}"}).status_code == 422
    assert client.post(f"{url}/edit", form | {"body": "Hello"}).status_code == 302
    assert "Send to 1 contact" in client.get(f"{url}/send").content.decode()
    client.post(f"{url}/send", {"confirmed": 1})
    assert Campaign.objects.get().status == "sending"
    assert "already finished" not in client.post(f"{url}/cancel", follow=True).content.decode()
    assert "already finished" in client.post(f"{url}/cancel", follow=True).content.decode()
    assert CampaignPerson.objects.get().reason == "Canceled"
