from datetime import UTC, datetime

import pytest

from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from tests.conditions.app.models import *

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def test_it(cast, custom):
    firm = Firm.objects.create(name="Straße", industry="taxi", fleet_size=60)
    p = Person.objects.create(
        name="Ann ΟΔΟΣ",
        lifecycle_stage="lead",
        company=firm,
        last_activity=NOW,
        owner=cast.members[0],
        public_id="x",
        channels=["email"],
        custom={
            "rating": 2.5,
            "tags": ["hot"],
            "partner_firm": firm.pk,
            "renewal": "2026-06-20",
            "buddy": cast.members[1].pk,
        },
    )
    Deal.objects.create(name="d1", person=p, stage="won", amount="10.50")
    Cycle.objects.create(person=p, is_current=True, status="working", tenths=625)
    for t in [
        "Lifecycle Stage in (lead, Qualified)",
        "name contains οδος",
        "company.industry = Taxi and company.fleet_size >= 50",
        "any opportunity (stage = won and amount > 10)",
        "opportunities.stage != won",
        "lead.score > 62",
        "lead.score <= 62.5",
        "lead.status != new",
        "owner = me",
        "owner = bo",
        "owner in (me, Ann Ruiz)",
        "team = my team",
        "rating = 2.5",
        "rating > 2",
        'tags = "hot, hot"',
        "tags in (south, north east)",
        "partner firm = STRASSE",
        "partner firm = straße",
        "[Partner firm].fleet_size = 60",
        "renewal date < 7 days from now",
        "buddy = bo",
        "at least 2 of (budget > 5, vip = yes, name is not empty, not (vip = yes))",
        "not at least 2 of (budget > 5, vip = yes, name is not empty, not (vip = yes))",
        'greeting = "hi ann οδος"',
        "last_activity = today",
        "reports is empty",
        'company.people.name = "ann οδος"',
        "channels = email",
        "[Date of birth] is empty",
        "manager.lead.score > 5",
        "company = straße",
        "company contains stra",
        "company is not empty",
        "manager.company.name is empty",
        "discount < 50%",
        "",
    ]:
        c = parse(t, "person")
        assert parse(c.key_text, "person") == c, c.key_text
        assert parse(c.label_text, "person") == c, c.label_text
        v = Viewer(cast.members[0].pk, cast.teams[0].pk)
        q = Person.objects.filter(c.expression(v, NOW))
        print(t, "|", c.key_text, "|", c.label_text, "|", q.count(), c.explain(Person.objects.all(), p.pk, v, NOW))
    print(q.query)
    c = parse(
        "any opportunity (stage = won) and company.industry = taxi and at least 1 of (rating = 2, name = 'a')", "person"
    )
    print(Person.objects.filter(c.expression(v, NOW)).query, c.chips(), c.without(1), c.fields())
    for bad in [
        "stge = lead",
        "stage = leed",
        "stage lead",
        "stage =",
        "and",
        "name = a b) ",
        "(name = a",
        "owner = zoe",
        "owner > 3",
        "discount = 5",
        "at least 3 of (vip = yes)",
        "any company (name = a)",
        "name.x = 3",
        "company.nam = x",
        "birthday > 3 hours ago",
        "last_activity = 2 weeks ago",
        "renewal = x",
        'name = "x',
        "name = 'x",
        "vip = maybe",
        "at least of (a = b)",
        "name in a",
        "name in ()",
        "any deals = 3",
        "rating = 1 day ago",
        "name = a, b",
        "company.name.x.y = 3",
        "nam[e = 3",
        "is empty",
        "name = a or",
        "not",
        "birthday = 2026-02-30",
        "last_activity = 25:00",
    ]:
        with pytest.raises(Exception) as e:
            parse(bad, "person")
        print(type(e.value).__name__, bad, "->", e.value, "|", e.value.word, e.value.position, e.value.suggestion)
