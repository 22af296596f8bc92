from tests.factories import make_opportunity


def test_the_search_over_everything_finds_opportunities_by_name(acme, sign_in, cast):
    make_opportunity("Ruiz tracking", amount="4800", owner=cast.rep)
    page = sign_in("rep").get("/search", {"q": "tracking"}).content.decode()
    assert "Ruiz tracking" in page and "4,800" in page and "No results for" not in page
    assert "No results for" in sign_in("rep").get("/search", {"q": "telematics"}).content.decode()


def test_nobody_finds_what_another_team_keeps(acme, sign_in, cast):
    make_opportunity("Ruiz tracking", owner=cast.rep, team=cast.iberia)
    assert "Ruiz tracking" not in sign_in("outsider").get("/search", {"q": "tracking"}).content.decode()
