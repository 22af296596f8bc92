"""A demo campaign, sent through the verbs; its emails go nowhere, because a demo must not send email."""

from datetime import timedelta

from django.core.mail import get_connection

from contacts.models import Contact
from contacts.verbs.reopen import reopen
from crm.campaigns.models import Campaign, CampaignPerson
from crm.campaigns.sending import deliver
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.campaigns.verbs.unsubscribe import unsubscribe
from crm.kit import clock
from crm.kit.actor import Channel, system
from crm.kit.errors import Refused
from crm.users.models import Membership

TEXT = """Hi {first_name},

A lot has changed since you left. Route planning is now part of every plan, and the driver app works offline.

Can we show you? Reply to this email and we’ll find half an hour.
"""  # not a text
CAME_BACK, WANT_NO_MORE = 2, 1


def win_back(manager: Membership) -> None:
    """Create a win-back from three weeks ago, with returns and unsubscribes, and a draft of the next."""
    texts = {"segment": "churned-customers", "subject": "What’s new since you left", "body": TEXT}  # not a text
    with clock.at(clock.now() - timedelta(days=21)):
        name = {"name": "Win-back, autumn"}  # not a text
        campaign = save_campaign(None, name | texts, by=manager.actor(Channel.WEB))
        try:
            send_campaign(campaign, by=manager.actor(Channel.WEB))
        except Refused:  # no churned contacts in such a small year
            return
        _deliver(campaign)
    _answer(campaign, manager)
    draft = {"name": "Re-approach, winter", "subject": "A new year, a new offer"}  # not a text
    draft["segment"] = "lost_reapproach"
    save_campaign(None, draft | {"body": TEXT}, by=manager.actor(Channel.WEB))


def _deliver(campaign: Campaign) -> None:
    nowhere = get_connection("django.core.mail.backends.dummy.EmailBackend")
    waiting = campaign.people.filter(state=CampaignPerson.State.WAITING).order_by("pk")
    for pk in list(waiting.values_list("pk", flat=True)):
        deliver(pk, by=system(campaign.workspace_id), connection=nowhere)


def _answer(campaign: Campaign, manager: Membership) -> None:
    before = clock.now() - timedelta(days=22)
    got_it = campaign.people.filter(sent_at__isnull=False, contact__lifecycle_stage_since__lt=before)
    people = list(got_it.select_related("campaign").order_by("contact")[: CAME_BACK + WANT_NO_MORE])
    with clock.at(clock.now() - timedelta(days=18)):
        for person in people[CAME_BACK:]:
            unsubscribe(person, by=system(campaign.workspace_id, Channel.MAIL))
        back = Contact.objects.filter(pk__in=[person.contact_id for person in people[:CAME_BACK]])
        reason = "Replied to the win-back campaign"  # not a text
        reopen(back, by=manager.actor(Channel.WEB), reason=reason)
