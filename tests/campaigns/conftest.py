"""Campaign fixtures, and the engine that sends them."""

import pytest

from crm.campaigns.models import Campaign
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.events.engine import drain

MESSAGE = {"subject": "Come back, {first_name}", "body": "Dear {name},\n\nfrom {owner}."}


def make_campaign(by, name="Spring", segment="churned-customers", **values) -> Campaign:
    """Create a draft for churned customers, by `by`."""
    return save_campaign(None, {"name": name, "segment": segment} | MESSAGE | values, by=by)


@pytest.fixture
def campaign(acme, actor):
    """`campaign(name=, segment=, …)` creates a draft by the manager."""
    return lambda **values: make_campaign(actor("manager"), **values)


@pytest.fixture
def sent(campaign, actor):
    """`sent(name=, …)` creates a campaign sent by the manager, with all emails delivered."""

    def made(**values) -> Campaign:
        found = send_campaign(campaign(**values), by=actor("manager"))
        drain()
        return Campaign.objects.get(pk=found.pk)

    return made
