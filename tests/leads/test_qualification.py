"""The list and board of leads at /qualification."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from crm.kit import clock
from leads.models import Lead, Score, ScoringModel
from leads.verbs.convert import convert
from leads.verbs.lose_leads import lose_leads
from leads.verbs.qualify import qualify
from tests.factories import make_company, make_contact

NOW = timezone.now()
pytestmark = pytest.mark.usefixtures("acme")


def names(html: str) -> list[str]:
    return re.findall(r'<span class="primary">([^<]*)<', html)


def cards(html: str) -> list[str]:
    return re.findall(r'<article class="board-card".*?<a class="primary"[^>]*>([^<]*)</a>', html, re.DOTALL)


def listed(client, query: str) -> list[str]:
    return names(client.get(f"/qualification?{query}").content.decode())


def lead_of(name: str, *, tenths: int | None = None, hours: int = 0, contacted: bool = False, **values) -> Lead:
    """Return a lead created `hours` ago with a score of `tenths`."""
    with clock.at(NOW - timedelta(hours=hours)):
        lead = Lead.objects.get(contact=make_contact(name, **values))
    if contacted:
        Lead.objects.filter(pk=lead.pk).update(contacted_at=NOW)
    if tenths is not None:
        model = ScoringModel.objects.first() or ScoringModel.objects.create(
            version=1, name="Test", rules={}, half_life=30, epoch=NOW, created_at=NOW
        )
        facts = {"engagement_sum": 0.0, "fit": 0, "engagement": 0, "score_tenths": tenths, "scored_at": NOW}
        Score.objects.update_or_create(lead=lead, defaults=facts | {"model": model})
    return lead


def rows(*leads: Lead):
    return Lead.objects.filter(pk__in=[lead.pk for lead in leads])


def test_the_queue_has_deadlines_first_and_then_scores(cast, sign_in):
    mine = {"owner": cast.rep}
    lead_of("Low", tenths=100, contacted=True, **mine)
    lead_of("Unscored", contacted=True, **mine)
    lead_of("High", tenths=700, contacted=True, **mine)
    lead_of("Soon", tenths=0, hours=20, **mine)
    lead_of("Late", tenths=0, hours=30, **mine)
    lead_of("Later", tenths=760, hours=2, **mine)
    assert listed(sign_in("rep"), "") == ["Late", "Soon", "Later", "High", "Low", "Unscored"]


def test_a_rep_s_queue_is_their_own_and_their_team_s_a_manager_s_is_everybody_s(cast, sign_in):
    lead_of("Mine", owner=cast.rep)
    lead_of("Team's", owner=cast.mate, team=cast.iberia)
    lead_of("Another's", owner=cast.outsider)
    lead_of("Hidden", owner=cast.outsider, team=cast.nordics)
    assert set(listed(sign_in("rep"), "view=queue")) == {"Mine", "Team&#x27;s"}
    assert len(listed(sign_in("manager"), "view=queue")) == 4
    assert set(listed(sign_in("rep"), "view=all")) == {"Mine", "Team&#x27;s", "Another&#x27;s"}


def test_the_queue_goes_on_where_it_stopped(cast, sign_in):
    for number in range(30):
        lead_of(f"Owed {number:02}", owner=cast.rep, hours=40 - number)
        lead_of(f"Scored {number:02}", owner=cast.rep, tenths=700 - number, contacted=True)
    client = sign_in("rep")
    first = client.get("/qualification").content.decode()
    following = re.search(r'rel="next" href="([^"]*)"', first)[1].replace("&amp;", "&")
    second = client.get(following).content.decode()
    expected = [f"Owed {n:02}" for n in range(30)] + [f"Scored {n:02}" for n in range(30)]
    assert names(first) + names(second) == expected


def test_a_row_shows_how_long_there_is_and_what_to_do(cast, sign_in):
    lead = lead_of("Ana", owner=cast.rep, hours=30, company=make_company("Fleetly"), source="Fair")
    lead_of("Bo", owner=cast.rep, hours=20)
    page = sign_in("rep").get("/qualification").content.decode()
    assert f'data-href="/qualification/{lead.public_id}"' in page
    assert re.search(r'class="due"[^>]*>overdue by 6 h<|data-due class="due">overdue by 6 h<', page)
    assert re.search(r"data-due>in [34] h<", page)
    assert "Send educational content" in page and "Fleetly" in page and "Fair" in page


def test_the_other_views(cast, actor, sign_in):
    mine = {"owner": cast.rep}
    ready, lost, converted = lead_of("Ready", **mine), lead_of("Lost", **mine), lead_of("Done", **mine)
    qualify(rows(ready, converted), to="sales_qualified", by=actor("rep"), reason="Met them")
    convert(rows(converted), by=actor("rep"))
    lose_leads(rows(lost), by=actor("rep"), reason="No budget")
    client = sign_in("rep")
    assert listed(client, "view=sales_qualified") == ["Ready"]
    assert listed(client, "view=converted") == ["Done"]
    assert listed(client, "view=lost") == ["Lost"]
    assert "No budget" in client.get("/qualification?view=lost").content.decode()
    assert listed(client, "view=my_open") == ["Ready"]


def test_quick_filters(cast, sign_in):
    lead_of("Late", hours=30)
    lead_of("Running")
    lead_of("Contacted", contacted=True, source="Fair")
    client = sign_in("rep")
    assert listed(client, "view=all&deadline=overdue") == ["Late"]
    assert listed(client, "view=all&deadline=running") == ["Running"]
    assert listed(client, "view=all&source=fair") == ["Contacted"]
    assert listed(client, "view=all&q=contac") == ["Contacted"]


def test_bulk_actions_call_the_verbs(cast, sign_in):
    leads = [lead_of(f"Person {n}", owner=cast.rep) for n in range(2)]
    client = sign_in("manager")

    def act(action: str, **values):
        selected = [lead.public_id for lead in leads]
        data = {"action": action, "confirm": 1, "selected": selected, "query": "view=all"} | values
        assert client.post("/qualification/bulk", data).status_code == 302

    def standing() -> set:
        return set(Lead.objects.values_list("status", "stage"))

    act("first_contact")
    assert standing() == {("working", "top_of_funnel")}
    act("qualify", to="marketing_qualified", reason="Called")
    assert standing() == {("working", "marketing_qualified")}
    act("assign", owner=cast.mate.pk, team="keep")
    assert set(Lead.objects.values_list("owner", flat=True)) == {cast.mate.pk}
    act("delete", reason="Twice")
    assert not Lead.objects.live().exists()


def test_leads_are_losable_together_and_exported_with_what_is_computed(cast, actor, sign_in):
    lead_of("Ana", owner=cast.rep, tenths=655)
    client = sign_in("rep")
    parts = client.get("/qualification/export?view=all").streaming_content
    text = b"".join(parts).decode()
    assert text.splitlines()[0].removeprefix("\ufeff").startswith("Name,Company,Status,Deadline,Qualification stage,")
    assert re.search(r"^Ana,,New,[^,]+,Top of Funnel,65\.5,", text, re.MULTILINE)
    lead = Lead.objects.get()
    data = {"action": "lose", "confirm": 1, "selected": [lead.public_id], "query": "view=all", "reason": "Price"}
    client.post("/qualification/bulk", data)
    assert Lead.objects.get().lost_reason == "Price"


def test_the_board_has_a_column_for_each_status_and_moves_only_by_verbs(cast, actor, sign_in):
    mine = {"owner": cast.rep}
    new, ready = lead_of("New", hours=30, **mine), lead_of("Ready", **mine)
    lead_of("Theirs", owner=cast.outsider)
    qualify(rows(ready), to="sales_qualified", by=actor("rep"), reason="Met them")
    client = sign_in("rep")
    page = client.get("/qualification/board?view=all").content.decode()
    assert re.findall(r'data-column="(\w+)"', page) == ["new", "working", "qualified", "converted", "lost"]
    assert set(cards(page)) == {"New", "Ready", "Theirs"} and page.count("data-card ") == 2
    targets = {
        name: set(re.findall(r'data-to="(\w+)"', card)) for name, card in zip(cards(page), split(page), strict=True)
    }
    assert targets == {"New": {"working", "lost"}, "Ready": {"converted", "lost"}, "Theirs": set()}
    assert "overdue by 6 h" in page
    back = "/qualification/board?view=all"
    answer = client.post(f"/qualification/{new.public_id}/first_contact", {"to": "working", "next": back})
    assert answer.headers["Location"] == back
    assert Lead.objects.get(pk=new.pk).status == "working"


def split(page: str) -> list[str]:
    return re.findall(r"<article.*?</article>", page, re.DOTALL)


def test_the_sidebar_counts_what_is_open_and_mine(cast, actor, sign_in):
    lost, *_ = (lead_of(f"Person {n}", owner=cast.rep) for n in range(3))
    lead_of("Theirs", owner=cast.mate)
    lose_leads(rows(lost), by=actor("rep"), reason="x")
    page = sign_in("rep").get("/qualification").content.decode()
    assert re.search(
        r'href="/qualification"[^>]*data-jump="q"[^>]*>.*?Leads<span class="nav-count">2<', page, re.DOTALL
    )


def test_admins_set_rules_the_pool_and_the_terms(cast, sign_in):
    admin, rep = sign_in("admin"), sign_in("rep")
    rule = {"name": "Web", "condition": "source = web", "people": [cast.rep.pk, cast.mate.pk], "method": "round_robin"}
    rule |= {"position": 0, "is_active": "on", "team": cast.nordics.pk}
    assert admin.post("/settings/assignment/new/", rule).status_code == 302
    page = admin.get("/settings/assignment/").content.decode()
    assert "Source is web" in page and "Nordics (team)" in page and "Round-robin" in page
    refused = admin.post("/settings/assignment/new/", rule | {"condition": "sauce = web"})
    assert refused.status_code == 422 and "Did you mean" in refused.content.decode()
    assert admin.post("/settings/assignment/", {"pool": [cast.rep.pk], "away": [cast.mate.pk]}).status_code == 302
    assert cast.rep.duty.__class__.objects.get(member=cast.mate).is_away
    terms = {"hours": 8, "in_business_hours": "on", "days": [0, 1], "opens": "09:00", "closes": "00:00"}
    assert admin.post("/settings/first-contact/", terms).status_code == 302
    assert 'value="00:00"' in admin.get("/settings/first-contact/").content.decode()
    assert rep.get("/settings/assignment/").status_code == rep.get("/settings/first-contact/").status_code == 403
