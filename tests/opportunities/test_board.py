"""Board and list of opportunities: visibility per column, and totals."""

import re
from datetime import date

import pytest

from crm.lists.board import CARDS
from crm.opportunities.lists import month
from tests.factories import make_contact, make_opportunity

HTMX = {"HX-Request": "true"}


def cards(html: str) -> list[str]:
    return re.findall(r'<article class="board-card".*?<a class="primary"[^>]*>([^<]*)</a>', html, re.DOTALL)


def test_columns_add_up_in_each_currency_what_the_member_sees(acme, cast, sign_in):
    ana = make_contact()
    for amount, values in ((100, {}), (300, {"currency": "USD"}), (None, {}), (9000, {"team": cast.nordics})):
        make_opportunity(contact=ana, amount=amount and str(amount), stage="proposal", **values)
    page = sign_in("rep").get("/opportunity/board").content.decode()
    column = page[page.index('data-column="proposal"') : page.index('data-column="negotiation"')]
    assert "<span>3</span>" in column
    assert "€100<" in column and "€50 weighted" in column and "$300<" in column and "$150 weighted" in column
    assert "9,0" not in page
    assert "€9,100" in sign_in("manager").get("/opportunity/board").content.decode()


def test_a_column_goes_on_where_it_stopped(acme, sign_in):
    ana, client = make_contact(), sign_in("manager")
    for number in range(CARDS + 5):
        day = f"2027-01-{number + 1:02}" if number < CARDS + 2 else None
        make_opportunity(f"Deal {number:02}", contact=ana, close_date=day)
    first = client.get("/opportunity/board?view=all").content.decode()
    more = re.search(r'href="([^"]*after=[^"]*)"', first)[1].replace("&amp;", "&")
    rest = client.get(more, headers=HTMX).content.decode()
    assert [*cards(first), *cards(rest)] == [f"Deal {number:02}" for number in range(CARDS + 5)]
    assert cards(client.get(more).content.decode()) == cards(rest)
    assert client.get("/opportunity/board?column=nothing").status_code == 404


def test_only_what_one_may_move_can_be_dragged(acme, cast, sign_in):
    make_opportunity("Mine", owner=cast.rep)
    make_opportunity("Theirs", owner=cast.outsider)
    page = sign_in("rep").get("/opportunity/board").content.decode()
    assert page.count("data-card") == 1 and len(cards(page)) == 2


@pytest.mark.parametrize("view, expected", [("open", {"A", "B"}), ("my_open", {"A"}), ("won", {"C"}), ("lost", {"D"})])
def test_the_views_of_the_list_and_the_board_show_the_same(view, expected, acme, cast, sign_in):
    make_opportunity("A", owner=cast.rep)
    make_opportunity("B", stage="proposal")
    make_opportunity("C", stage="won", owner=cast.rep)
    make_opportunity("D", stage="lost")
    client = sign_in("rep")
    listed = client.get(f"/opportunity?view={view}").content.decode()
    assert set(re.findall(r'<span class="primary">([^<]*)<', listed)) == expected
    assert set(cards(client.get(f"/opportunity/board?view={view}").content.decode())) == expected


def test_they_are_found_by_their_own_and_their_contact_s_name_and_filtered_by_their_date(acme, sign_in):
    client = sign_in("rep")
    make_opportunity("Vans", contact=make_contact("Tomás Ortega"), close_date="2020-01-01")
    make_opportunity("Cards", contact=make_contact("Ana Ruiz", email="ortega@x.example"))

    def found(query):
        return re.findall(r'<span class="primary">([^<]*)<', client.get(f"/opportunity?{query}").content.decode())

    assert found("q=tomas") == ["Vans"]
    assert found("q=ortega") == ["Vans"]
    assert found("q=card") == ["Cards"]
    assert found("closing=overdue") == ["Vans"]
    assert found("closing=month") == []


def test_a_month_begins_on_its_first_day_also_over_the_end_of_a_year():
    assert month(date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))
    assert month(date(2026, 12, 31), 1) == (date(2027, 1, 1), date(2027, 2, 1))


def test_the_timeline_of_a_contact_tells_only_of_opportunities_that_one_sees(acme, cast, sign_in):
    ana = make_contact("Ana")
    make_opportunity("Seen", contact=ana, stage="proposal")
    make_opportunity("Hidden", contact=ana, team=cast.nordics, stage="proposal")
    page = sign_in("rep").get(ana.get_absolute_url()).content.decode()
    assert "Hidden" not in page
    line = r'moved the opportunity:\s+<a class="link" href="/opportunity/opp_\w+">Seen</a>\s+<span>\(<del>'
    assert re.search(line, page)
    assert "Hidden" in sign_in("manager").get(ana.get_absolute_url()).content.decode()
