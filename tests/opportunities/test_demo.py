"""The demo pipeline: plausible, and made through the verbs."""

from collections import Counter

import pytest

from contacts.demo import History
from crm.lifecycle.models import Transition
from crm.opportunities.demo import Pipeline
from crm.opportunities.models import Opportunity

pytestmark = pytest.mark.once


def test_every_opportunity_came_where_it_is_by_moves_in_the_order_of_time(acme, cast):
    members = {name: getattr(cast, name) for name in ("rep", "mate", "outsider", "manager", "admin")}
    History(members, people=90, companies=9, seed=1).write()
    Pipeline(cast.manager, count=30, seed=3).write()
    deals = list(Opportunity.objects.select_related("contact"))
    stages = Counter(deal.stage for deal in deals)
    renewals = [deal for deal in deals if deal.pipeline == "renewals"]
    assert 25 <= len(deals) - len(renewals) <= 35
    assert {deal.stage for deal in renewals} >= {"renewed", "renewal_in_discussion", "renewal_verbal"}
    assert stages["won"] >= 5 and stages["lost"] >= 3 and len(deals) > stages["won"] + stages["lost"]
    assert all(deal.contact.lifecycle_stage != "lead" for deal in deals if deal.stage == "won")
    for deal in deals:
        steps = list(Transition.objects.filter(entity="opportunity", record_id=deal.pk).order_by("id"))
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        assert (steps[0].verb, steps[-1].to_value) == ("create", deal.stage)
