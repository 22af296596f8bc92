"""Custom fields of every type in every card: as funnel split and as filter."""

from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict

from contacts.models import Contact
from crm.conditions.operands import operators
from crm.dashboards.groups import offered
from crm.dashboards.query import read_query
from crm.dashboards.show import content
from crm.dashboards.tables import all_parts
from crm.entities.models import CUSTOM_TYPES
from crm.entities.schema import schema
from crm.lists.paging import count
from crm.lists.spec import spec_of
from crm.lists.state import read_state as read_list
from crm.opportunities.models import Opportunity
from leads.models import Lead
from tests.factories import make_contact, make_field, make_opportunity

MODELS = {"contact": Contact, "lead": Lead, "opportunity": Opportunity}
CHOICES = [{"value": "gold", "label": "Gold"}, {"value": "silver", "label": "Silver"}]
STORED = {
    "text": "Fleet",
    "long_text": "Fleet\nof vans",
    "number": 3,
    "money": 48000.5,
    "percent": 0.25,
    "date": "2026-03-31",
    "datetime": "2026-03-31T12:30:00.000000+00:00",
    "yes_no": True,
    "select": "gold",
    "multi_select": ["gold"],
    "url": "https://fleetly.example",
    "phone": "+34 600 100 200",
    "email": "ana@fleetly.example",
}
WRITTEN = STORED | {"yes_no": "yes", "multi_select": "gold", "user": "me", "link": '"Known Person"', "percent": "25%"}
WRITTEN |= {kind: f'"{STORED[kind]}"' for kind in ("datetime", "url", "phone", "email")} | {"long_text": "vans"}


@pytest.fixture
def custom(acme, cast):
    """Create a field of each type on each counted entity, with one value each."""
    contact = make_contact("Known Person")
    make_contact("Without values")
    make_opportunity(contact=contact)
    stored = STORED | {"user": cast.manager.pk, "link": contact.pk}
    for entity, model in MODELS.items():
        for kind in CUSTOM_TYPES:
            extra = {"choices": CHOICES} if "select" in kind else {"target": "contact"} if kind == "link" else {}
            make_field(f"own_{kind}", kind, f"Own {kind} of {entity}", entity=entity, **extra)
        rows = model.objects.filter(**({"pk": contact.pk} if model is Contact else {"contact": contact}))
        rows.update(custom={f"own_{kind}": stored[kind] for kind in CUSTOM_TYPES})


def conditions(entity: str, kind: str) -> str:
    """Return a condition with every comparison of the type."""
    field = schema(entity).field(f"own_{kind}")
    values = {operator: WRITTEN[kind] for operator in operators(field)} | {"is empty": "", "is not empty": ""}
    values |= {operator: f"({WRITTEN[kind]})" for operator in ("in", "not in") if operator in values}
    return " or ".join(f"{field.key} {operator} {value}" for operator, value in values.items())


@pytest.mark.parametrize("who", ["manager", "rep"])
def test_every_part_can_be_filtered_by_every_type_of_field(custom, actor, who):
    fitting = set()
    for entity in MODELS:
        for kind in CUSTOM_TYPES:
            asked = read_query(QueryDict(f"split=own_select&where={conditions(entity, kind)}"), actor(who))
            for part in all_parts():
                if "does not fit" not in content(part, asked).note:
                    fitting.add((part.name, entity))
    assert fitting >= {("funnel", "lead"), ("composition", "contact"), ("pipeline", "opportunity"), ("losses", "lead")}


@pytest.mark.parametrize("who", ["manager", "rep", "viewer"])
def test_the_funnel_can_be_split_by_every_field_it_offers(custom, sign_in, actor, who):
    client, funnel = sign_in(who), next(part for part in all_parts() if part.name == "funnel")
    keys = [key for key, _ in offered("lead")]
    assert {"own_select", "contact.own_select"} <= set(keys)
    for key in keys:
        assert client.get(f"/dashboard/part/funnel?split={key}").status_code == 200
        asked = read_query(QueryDict(f"split={key}"), actor(who))
        for row in next(table for table in content(funnel, asked).tables if table.name == "split").rows:
            assert row.cells[0].value == listed(row.cells[0].url, asked.by)


def test_a_split_by_a_custom_select_shows_its_labels(custom, sign_in):
    for key in ("own_select", "contact.own_select"):
        page = sign_in("manager").get(f"/dashboard/part/funnel/split.csv?split={key}").content.decode()
        assert sorted(line.split(",")[:2] for line in page.splitlines()[1:]) == [["Gold", "1"], ["No value", "1"]]


def listed(url: str, by) -> int:
    """Return the number of records in a number's list."""
    state = read_list(SimpleNamespace(GET=QueryDict(urlsplit(url).query), actor=by), spec_of("lead"))
    assert state.where
    return count(state.rows(), by, exact=True)
