"""The pipeline of the demo: believable, and made through the verbs."""

from collections import Counter

import pytest

from contacts.management.commands.load_demo import load
from crm.kit.scope import in_workspace
from crm.lifecycle.models import Transition
from crm.opportunities.models import Opportunity
from crm.users.models import Workspace


@pytest.mark.django_db
def test_every_opportunity_came_where_it_is_by_moves_in_the_order_of_time():
    load(people=240, companies=12)
    with in_workspace(Workspace.objects.get(slug="acme")):
        deals = list(Opportunity.objects.select_related("contact"))
        assert 20 <= len(deals) <= 30
        stages = Counter(deal.stage for deal in deals)
        assert stages["won"] >= 5 and stages["lost"] >= 3 and sum(stages.values()) > stages["won"] + stages["lost"]
        assert all(deal.contact.lifecycle_stage != "lead" for deal in deals if deal.stage == "won")
        for deal in deals:
            steps = list(Transition.objects.filter(entity="opportunity", record_id=deal.pk).order_by("id"))
            assert [step.at for step in steps] == sorted(step.at for step in steps)
            assert (steps[0].verb, steps[-1].to_value) == ("create", deal.stage)
            assert all(step.spent is None or step.spent.total_seconds() >= 0 for step in steps)
