"""Numbers in inputs use the formats of the member's profile."""

from decimal import Decimal
from urllib.parse import unquote_plus

import pytest

from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.create import create
from leads.scoring.form import posted
from tests.factories import make_contact
from tests.kit.test_formats import writing

pytestmark = pytest.mark.once


@pytest.fixture
def german(cast, sign_in):
    user = cast.rep.user
    user.language, user.formats = "de", "de_DE"
    user.save()
    return sign_in("rep")


@pytest.fixture
def deal(acme, actor) -> Opportunity:
    made = create([{"name": "Vans", "contact": make_contact("Ann Ruiz").pk, "amount": "12000.5"}], by=actor("rep"))
    return Opportunity.objects.get(pk=made.done[0])


@pytest.mark.parametrize(("typed", "amount"), [("48.000", "48000"), ("48.000,50", "48000.5"), ("7,5", "7.5")])
def test_an_amount_is_saved_as_it_was_typed(typed, amount, german, deal):
    url = f"/opportunity/{deal.public_id}/field/amount"
    assert 'value="12000,50"' in german.get(url).content.decode()
    german.post(url, {"amount": typed, "base-amount": "12000,50"})
    deal.refresh_from_db()
    assert deal.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("field", "typed", "stored"),
    [
        ("amount", "48.000,5", "48000.5"),
        ("probability", "12,5%", "12.5%"),
        ("close_date", "31.12.2026", "2026-12-31"),
        ("close_date", "Heute", "today"),
        ("close_date", "30 Tage her", "30 days ago"),
        ("close_date", "1 Woche her", "1 week ago"),
        ("close_date", "30 days ago", "30 days ago"),
    ],
)
def test_a_filter_takes_what_was_typed(field, typed, stored, german, acme):
    response = german.get("/opportunity/filter", {"field": field, "op": ">", "value": typed})
    assert f"{field} > {stored}" in unquote_plus(response["Location"])


def test_weights_of_a_scoring_model_are_read_in_the_formats_of_the_member():
    with writing("de_DE"):
        assert posted({"weight-fit": "0,6", "half_life": "14"})["rules"]["weights"]["fit"] == 0.6
