"""Each recipient is emailed and recorded once, even if the process is killed while sending."""

import re

import pytest

from tests.events.processes import Product, kill, own_database
from tests.workflows.test_killed import counted, wait_for

PEOPLE = 150
SEND = """
from contacts.models import Contact
from crm.records.verbs.edit import edit
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.kit.scope import in_workspace
from crm.users.models import Membership, Workspace
with in_workspace(Workspace.objects.get()):
    by = lambda: Membership.objects.get().actor("command")
    chosen = Contact.objects.order_by("pk")[:{people}].values_list("pk", flat=True)
    edit(Contact.objects.filter(pk__in=list(chosen)), {{"marketing_consent": "Given"}}, by=by())
    draft = {{"name": "Spring", "segment": "all", "subject": "Hello {{name}}", "body": "Dear {{name}}"}}
    send_campaign(save_campaign(None, draft, by=by()), by=by())
"""
SENT = "SELECT count(*) FROM campaigns_campaignperson WHERE state = 'sent'"
LEASE = 40


@pytest.fixture
def product(tmp_path, db):
    """Return the product with a campaign about to be sent, on a database of its own on the suite's engine."""
    with own_database(tmp_path) as url:
        product = Product(tmp_path, url, EMAIL_URL=f"file://{tmp_path}/sent")
        made = product.manage("shell", "-c", SEND.format(people=PEOPLE))
        assert made.returncode == 0, made.stderr
        yield product


def test_a_kill_in_the_middle_of_sending(product, tmp_path):
    for part in (4, 2):
        with product.up() as server:
            wait_for(product, SENT, PEOPLE // part, LEASE)
            kill(server)
    assert counted(product, SENT) < PEOPLE, "all was over before the kill"
    with product.up():
        wait_for(product, SENT, PEOPLE, LEASE)
        wait_for(product, "SELECT count(*) FROM campaigns_campaign WHERE status = 'sent'", 1, LEASE)
    letters = "".join(path.read_text() for path in (tmp_path / "sent").iterdir())
    ids = re.findall(r"^Message-ID: (.*)$", letters, re.MULTILINE)
    assert len(set(ids)) == PEOPLE
    # Emails in progress at a kill may be sent twice with the same id: at most one worker's batch each time.
    assert len(ids) <= PEOPLE + 2 * 4
    told = "SELECT count(*), count(DISTINCT person) FROM audit_entry WHERE event = 'campaign.mailed'"
    assert product.row(told) == (PEOPLE, PEOPLE)
