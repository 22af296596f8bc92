"""Random conditions over random records: the database agrees with a naive evaluation in Python.

DATABASE_URL selects the engine; both are compared with the same evaluation. EXAMPLES=50 tries more and shrinks
failures, which can take minutes. A generated condition is a pair: its text, and a Python predicate for one record.
"""

import operator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm.conditions.compile import Viewer
from crm.conditions.explain import failing
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.scope import in_workspace
from crm.users.models import Workspace
from tests.budget import examples
from tests.conditions.app.models import Cycle, Deal, Firm, Person
from tests.conditions.cast import CHOICES, add_custom_fields, add_people, make_workspace

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "America/Havana"]
NOWS = [
    datetime(2026, 6, 15, 12, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),  # Berlin's clocks change half an hour later
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # New York and Havana have 01:30 and 00:30 twice
    datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]
SIGMAS = "\N{GREEK SMALL LETTER SIGMA}\N{GREEK SMALL LETTER FINAL SIGMA}"
LETTERS = "aAäÄßẞİIéÉ%_\\\"', ()[]#&x\N{LATIN SMALL LETTER DOTLESS I}\N{GREEK CAPITAL LETTER SIGMA}" + SIGMAS
ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}
OPPOSITE = {"!=": "=", "not in": "in", "is empty": "is not empty"}
DAY = timedelta(days=1)

texts = st.one_of(st.just(""), st.text(LETTERS, max_size=5))
numbers = st.one_of(st.integers(-5, 5), st.sampled_from([0.5, 2.25, -1.1, 1e6])).map(lambda n: Decimal(str(n)))
offsets = st.builds(
    lambda days, hours, microseconds: timedelta(days=days, hours=hours, microseconds=microseconds),
    st.integers(-3, 3),
    st.sampled_from([0, 0, 1, -7, 12]),
    st.sampled_from([0, 0, 1, -1]),
)


def maybe(strategy):
    return st.one_of(st.none(), strategy)


@st.composite
def customs(draw):
    """Draw JSON as stored by verbs, with missing, null and wrongly typed keys."""
    values = {
        "motto": texts,
        "rating": st.one_of(st.integers(-5, 5), st.sampled_from([0.5, 2.25, -1.1])),
        "renewal": offsets.map(lambda offset: (NOWS[0] + offset).date().isoformat()),
        "vip": st.booleans(),
        "region": st.sampled_from(["north_east", "south", ""]),
        "tags": st.lists(st.sampled_from(["north_east", "south", "hot"]), unique=True),
        "buddy": st.integers(0, 4),
        "partner_firm": st.integers(0, 1),
    }
    wrong = st.sampled_from([None, {"a": 1}])
    keys = draw(st.sets(st.sampled_from(sorted(values)), min_size=2))
    return {key: draw(st.one_of(values[key], values[key], values[key], wrong)) for key in sorted(keys)}


@st.composite
def people(draw, now):
    return {
        "name": draw(texts),
        "title": draw(maybe(texts)),
        "lifecycle_stage": draw(st.sampled_from([None, "", "lead", "qualified", "lost"])),
        "budget": draw(maybe(numbers.map(lambda n: round(n, 2)))),
        "headcount": draw(maybe(st.integers(-5, 5))),
        "discount": draw(maybe(st.sampled_from([Decimal("0.5"), Decimal("-0.25"), Decimal("0.1")]))),
        "birthday": draw(maybe(offsets.map(lambda offset: (now + offset).date()))),
        "last_activity": draw(maybe(offsets.map(lambda offset: now + offset))),
        "consent": draw(maybe(st.booleans())),
        "channels": draw(maybe(st.lists(st.sampled_from(["email", "phone", "live_chat"]), unique=True))),
        "owner": draw(maybe(st.integers(0, 4))),
        "company": draw(maybe(st.integers(0, 1))),
        "manager": draw(maybe(st.just(0))),
        "custom": draw(customs()),
        "deals": draw(
            st.lists(
                st.fixed_dictionaries(
                    {
                        "stage": st.sampled_from(["won", "lost", "proposal"]),
                        "amount": maybe(st.integers(0, 3)),
                        "trashed": st.booleans(),
                    }
                ),
                max_size=3,
            )
        ),
        "cycle": draw(
            maybe(
                st.fixed_dictionaries(
                    {
                        "status": st.sampled_from(["new", "working"]),
                        "tenths": maybe(st.sampled_from([0, 399, 400, 625])),
                    }
                )
            )
        ),
    }


firms = st.fixed_dictionaries(
    {"name": texts, "industry": st.sampled_from(["", "taxi", "rental"]), "fleet_size": maybe(st.integers(0, 60))}
)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def folded(text):
    return text.lower().replace(SIGMAS[1], SIGMAS[0])


def one(value):
    return [value]


def decide(read, base, negative):
    """Decide a leaf: true if an existing value matches; its negation is the exact opposite."""

    def holds(record):
        some = any(value not in (None, "", []) and base(value) for value in read(record))
        return some != negative

    return holds


def leaf(draw, name, read, operators, values, compare):
    """Draw a leaf; `values` draws (text, operand); `compare(operator, value, operand)` gets no negated operators."""
    word = draw(st.sampled_from([*operators, "is empty", "is not empty"]))
    base = OPPOSITE.get(word, word)
    negative = word in OPPOSITE
    if base == "is not empty":
        return f"{name} {word}", decide(read, lambda value: True, negative)
    if base == "in":
        drawn = draw(st.lists(values, min_size=1, max_size=3))
        text = f"{name} {word} ({', '.join(text for text, _ in drawn)})"
        return text, decide(read, lambda value: any(compare("=", value, operand) for _, operand in drawn), negative)
    text, operand = draw(values)
    return f"{name} {word} {text}", decide(read, lambda value: compare(base, value, operand), negative)


def compare_text(word, value, operand):
    value, operand = folded(value), folded(operand)
    return {"=": value == operand, "contains": operand in value, "starts with": value.startswith(operand)}[word]


def text_leaf(draw, name, read):
    values = texts.filter(str.strip).map(lambda text: (quoted(text), text))
    return leaf(draw, name, read, ["=", "!=", "in", "not in", "contains", "starts with"], values, compare_text)


def number_leaf(draw, name, read, values=None):
    if values is None:
        values = numbers.map(lambda n: (f"{n:f}", n))
    return leaf(
        draw,
        name,
        lambda record: [None if value is None else Decimal(str(value)) for value in read(record)],
        ["=", "!=", "in", "not in", "<", "<=", ">", ">="],
        values,
        lambda word, value, operand: ORDER[word](value, operand),
    )


def percent_leaf(draw, name, read):
    percents = st.sampled_from([("50%", Decimal("0.5")), ("-25%", Decimal("-0.25")), ("10.0%", Decimal("0.1"))])
    return number_leaf(draw, name, read, percents)


def choice_leaf(draw, name, read, choices):
    values = st.sampled_from(choices)
    return leaf(draw, name, read, ["=", "!=", "in", "not in"], values, lambda word, value, operand: value == operand)


def list_leaf(draw, name, read, choices):
    values = st.sampled_from(choices)
    return leaf(draw, name, read, ["=", "!=", "in", "contains"], values, lambda word, value, operand: operand in value)


def yes_leaf(draw, name, read):
    values = st.sampled_from([("yes", True), ("No", False), ("TRUE", True)])
    return leaf(draw, name, read, ["=", "!="], values, lambda word, value, operand: value is operand)


def time_leaf(draw, name, read, now, tz):
    """Draw a time leaf, counting from the value, where the compiler counts from now."""
    on_dates = name != "last_activity"
    today = now.astimezone(tz).date()
    unit = 1 if on_dates else DAY

    def age(value):
        return (today - value).days if on_dates else now - value

    def as_date(value):
        return value if on_dates else value.astimezone(tz).date()

    kind = draw(st.sampled_from(["ago", "from now", "today", "date", "instant"]))
    count = draw(st.integers(0, 3))
    if kind in ("ago", "from now"):
        sign = 1 if kind == "ago" else -1

        def compare(word, value, _):
            distance = sign * age(value)
            if word == "=":
                return count * unit <= distance < (count + 1) * unit
            return ORDER[word](distance, count * unit) and (word[0] == ">" or distance >= 0 * unit)

        values = st.just((f"{count} days {kind}", None))
    elif kind == "instant" and not on_dates:
        limit = now + draw(offsets)
        values = st.just((limit.isoformat(), None))

        def compare(word, value, _):
            return ORDER[word](value, limit)
    else:
        limit = today if kind == "today" else today + count * DAY
        values = st.just(("today" if kind == "today" else limit.isoformat(), None))

        def compare(word, value, _):
            return ORDER[word](as_date(value), limit)

    return leaf(draw, name, read, ["=", "!=", "in", "<", "<=", ">", ">="], values, compare)


STAGES = [("Lead", "lead"), ("qualified", "qualified"), ('"LOST"', "lost")]
CUSTOM_CHOICES = [(quoted(choice["label"]), choice["value"]) for choice in CHOICES]


def of_type(key, type_):
    def read(record):
        value = record["custom"].get(key)
        is_flag = isinstance(value, bool)
        return [value if isinstance(value, type_) and is_flag == (type_ is bool) else None]

    return read


def through(record, key, read):
    return read(record[key]) if record[key] else []


@st.composite
def leaves(draw, world):
    now, tz, members, viewer = world["now"], world["tz"], world["members"], world["viewer"]

    def field(key):
        return lambda record: [record[key]]

    def person_values():
        named = [(f"member_{member.pk}", index) for index, member in enumerate(members)]
        return [*named, ("me", viewer), (quoted(members[0].user.email), 0)]

    makers = [
        lambda: text_leaf(draw, "name", field("name")),
        lambda: text_leaf(draw, "Job Title", field("title")),
        lambda: text_leaf(draw, "greeting", lambda record: ["Hi " + record["name"]]),
        lambda: text_leaf(draw, "company", lambda record: through(record, "company", field("name"))),
        lambda: text_leaf(draw, "manager.company.name", lambda record: manager_company(record, "name")),
        lambda: text_leaf(draw, "motto of the FIRM", of_type("motto", str)),
        lambda: text_leaf(draw, "partner_firm", lambda record: partner(record, "name")),
        lambda: number_leaf(draw, "budget", field("budget")),
        lambda: number_leaf(draw, "headcount", field("headcount")),
        lambda: number_leaf(draw, "rating", of_type("rating", int | float)),
        lambda: number_leaf(draw, "company.fleet_size", lambda record: through(record, "company", field("fleet_size"))),
        lambda: number_leaf(draw, "[Partner firm].fleet_size", lambda record: partner(record, "fleet_size")),
        lambda: number_leaf(draw, "opportunities.amount", lambda record: [deal["amount"] for deal in live(record)]),
        lambda: number_leaf(draw, "lead.qualificationScore", lambda record: through(record, "cycle", score)),
        lambda: percent_leaf(draw, "discount", field("discount")),
        lambda: choice_leaf(draw, "stage", field("lifecycle_stage"), STAGES),
        lambda: choice_leaf(draw, "region", of_type("region", str), CUSTOM_CHOICES),
        lambda: choice_leaf(
            draw, "lead.status", lambda record: through(record, "cycle", field("status")), [("new", "new")]
        ),
        lambda: choice_leaf(
            draw, "Opportunities.stage", lambda record: [deal["stage"] for deal in live(record)], [("Won", "won")]
        ),
        lambda: choice_leaf(draw, "owner", field("owner"), person_values()),
        lambda: choice_leaf(draw, "buddy", of_type("buddy", int), person_values()),
        lambda: list_leaf(draw, "channels", field("channels"), [("live chat", "live_chat"), ("EMAIL", "email")]),
        lambda: list_leaf(draw, "tags", of_type("tags", list), [*CUSTOM_CHOICES, ('"hot, hot"', "hot")]),
        lambda: yes_leaf(draw, "[Not interested]", field("consent")),
        lambda: yes_leaf(draw, "vip", of_type("vip", bool)),
        lambda: time_leaf(draw, "birthday", field("birthday"), now, tz),
        lambda: time_leaf(draw, "last_activity", field("last_activity"), now, tz),
        lambda: time_leaf(draw, "renewal date", renewal, now, tz),
        lambda: leaf(draw, "opportunities", live, [], None, None),
        lambda: leaf(draw, "lead", lambda record: [record["cycle"]], [], None, None),
        lambda: any_deal(draw),
    ]
    return draw(st.sampled_from(makers))()


def renewal(record):
    return [date.fromisoformat(value) if value else None for value in of_type("renewal", str)(record)]


def live(record):
    return [deal for deal in record["deals"] if not deal["trashed"]]


def score(cycle):
    return [None if cycle["tenths"] is None else Decimal(cycle["tenths"]) / 10]


def partner(record, key):
    [index] = of_type("partner_firm", int)(record)
    return [] if index is None else [record["firms"][index][key]]


def manager_company(record, key):
    boss = record["boss"] if record["manager"] is not None else None
    return [boss["company"][key]] if boss and boss["company"] else []


def any_deal(draw):
    """Draw several leaves about one row, unlike several about any row each."""
    first = choice_leaf(draw, "stage", lambda deal: [deal["stage"]], [("won", "won"), ("lost", "lost")])
    second = number_leaf(draw, "amount", lambda deal: [deal["amount"]])
    text = f"any opportunity ({first[0]} and {second[0]})"
    return text, lambda record: any(first[1](deal) and second[1](deal) for deal in live(record))


@st.composite
def conditions(draw, world, depth=2):
    if depth == 0 or draw(st.integers(0, 2)) == 0:
        return draw(leaves(world))
    parts = draw(st.lists(conditions(world, depth - 1), min_size=2, max_size=3))
    texts_, tests = [text for text, _ in parts], [test for _, test in parts]
    kind = draw(st.sampled_from(["and", "or", "not", "at least"]))
    if kind == "not":
        return f"not ({texts_[0]})", lambda record: not tests[0](record)
    if kind == "at least":
        count = draw(st.integers(1, len(parts)))
        joined = ", ".join(texts_)
        return f"at least {count} of ({joined})", lambda record: sum(test(record) for test in tests) >= count
    together = all if kind == "and" else any
    return f" {kind} ".join(f"({text})" for text in texts_), lambda record: together(test(record) for test in tests)


def store(world):
    """Write the drawn records; set their primary keys and links."""
    world["firm_rows"] = [Firm.objects.create(**firm) for firm in world["firms"]]
    for number, record in enumerate(world["people"]):
        record["row"] = store_person(world, record, number)
        record["firms"] = world["firms"]
        record["boss"] = world["people"][0]
        record["company"] = None if record["company"] is None else world["firms"][record["company"]]


def store_person(world, record, number):
    links = {"deals", "cycle", "owner", "company", "manager", "custom"}
    row = Person.objects.create(
        public_id=f"person_{number:09}",
        owner=None if record["owner"] is None else world["members"][record["owner"]],
        company=None if record["company"] is None else world["firm_rows"][record["company"]],
        manager=None if record["manager"] is None else Person.objects.order_by("pk").first(),
        custom=stored_custom(world, record["custom"]),
        **{key: value for key, value in record.items() if key not in links},
    )
    record["manager"] = row.manager_id
    for deal in record["deals"]:
        trashed = NOWS[0] if deal["trashed"] else None
        Deal.objects.create(person=row, name="Deal", stage=deal["stage"], amount=deal["amount"], deleted_at=trashed)
    if record["cycle"]:
        Cycle.objects.create(person=row, is_current=True, **record["cycle"])
    Cycle.objects.create(person=row, status="converted", tenths=999)
    return row


def stored_custom(world, custom):
    """Return the stored form: drawn members and firms are list indexes, stored ones primary keys."""
    stored = dict(custom)
    for key, rows in (("buddy", world["members"]), ("partner_firm", world["firm_rows"])):
        if isinstance(stored.get(key), int):
            stored[key] = rows[stored[key]].pk
    return stored


@pytest.fixture
def cast(db):
    workspace = make_workspace()
    with in_workspace(workspace):
        cast = add_people(workspace)
        add_custom_fields(workspace)
        yield cast


@given(data=st.data())
@settings(
    max_examples=examples(15),
    phases=[Phase.generate, Phase.shrink] if examples(1) > 1 else [Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_the_database_agrees_with_a_naive_reading(cast, data):
    now = data.draw(st.sampled_from(NOWS), label="now")
    zone = data.draw(st.sampled_from(ZONES), label="zone")
    viewer = data.draw(maybe(st.integers(0, 4)), label="viewer")
    world = {
        "now": now,
        "tz": ZoneInfo(zone),
        "members": cast.members,
        "viewer": -1 if viewer is None else viewer,
        "firms": [data.draw(firms), data.draw(firms)],
        "people": data.draw(st.lists(people(now), min_size=1, max_size=4), label="people"),
    }
    workspace = Workspace.objects.get(pk=cast.workspace.pk)
    workspace.timezone = zone
    me = Viewer(None if viewer is None else cast.members[viewer].pk)
    with in_workspace(workspace), transaction.atomic():
        store(world)
        for text, naive in data.draw(st.lists(conditions(world), min_size=4, max_size=8), label="conditions"):
            compare(text, naive, world["people"], me, now)
        transaction.set_rollback(True)


def compare(text, naive, records, viewer, now):
    condition = parse(text, "person")
    assert parse(condition.key_text, "person") == condition
    assert parse(condition.label_text, "person") == condition
    expected = {record["row"].pk for record in records if naive(record)}
    rows = Person.objects.all()
    assert set(rows.filter(condition.expression(viewer, now)).values_list("pk", flat=True)) == expected, text
    with clock.at(now):
        refused = failing({"guard": condition}, Person, [record["row"].pk for record in records], viewer)
    assert refused.keys() == {record["row"].pk for record in records} - expected, text
    for record in records[:1]:
        lines = condition.explain(rows, record["row"].pk, viewer, now)
        assert all(line.ok for line in lines if line.depth == 0) == naive(record), text
