from django.db.models import CharField, ExpressionWrapper, F, FloatField, OuterRef, Value
from django.db.models.functions import Concat

from crm.entities.fields import Choice, Field, FieldType
from crm.entities.registry import Entity, register
from tests.conditions.app.models import Cycle

STAGES = ("lead", "qualified", "customer", "lost", "churned", "partner")
ROLES = ("DecisionMaker", "Influencer", "Champion", "Blocker", "User")
CYCLE_STAGES = ("top_of_funnel", "marketing_qualified", "sales_qualified", "opportunity")


def choices(*values):
    return tuple(Choice(value, value.replace("_", " ").capitalize()) for value in values)


def current_cycle():
    return Cycle.objects.filter(person=OuterRef("pk"), is_current=True)


def score():
    return ExpressionWrapper(F("tenths") / Value(10.0), FloatField())


person = register(Entity("person", "language.Person", "Person", "People", "person"))
person.add(
    Field("name", "Name", FieldType.TEXT, required=True),
    Field("title", "Job title", FieldType.TEXT),
    Field("role", "Role", FieldType.SELECT, choices=tuple(Choice(role, role) for role in ROLES)),
    Field("lifecycle_stage", "Lifecycle Stage", FieldType.SELECT, api="stage", choices=choices(*STAGES)),
    Field("not_interested", "Not interested", FieldType.YES_NO, path="consent"),
    Field("budget", "Budget", FieldType.MONEY),
    Field("headcount", "Headcount", FieldType.NUMBER),
    Field("discount", "Discount", FieldType.PERCENT),
    Field("birthday", "Date of birth", FieldType.DATE),
    Field("last_activity", "Last activity", FieldType.DATETIME, api="lastActivity"),
    Field("channels", "Channels", FieldType.MULTI_SELECT, choices=choices("email", "phone", "live_chat")),
    Field("owner", "Owner", FieldType.USER),
    Field("team", "Team", FieldType.TEAM),
    Field("company", "Company", FieldType.LINK, target="firm", api="organization"),
    Field("manager", "Manager", FieldType.LINK, target="person"),
    Field("reports", "Reports", FieldType.MANY, target="person"),
    Field("lead", "Lead", FieldType.LINK, target="cycle", rows=current_cycle),
    Field("opportunities", "Opportunities", FieldType.MANY, path="deals", target="opportunity_of_test"),
    Field(
        "greeting",
        "Greeting",
        FieldType.TEXT,
        expression=lambda: Concat(Value("Hi "), F("name"), output_field=CharField()),
    ),
)
firm = register(Entity("firm", "language.Firm", "Firm", "Firms", "firm"))
firm.add(
    Field("name", "Name", FieldType.TEXT, required=True),
    Field("industry", "Industry", FieldType.SELECT, choices=choices("logistics", "taxi", "rental")),
    Field("country", "Country", FieldType.TEXT),
    Field("fleet_size", "Fleet size", FieldType.NUMBER),
    Field("problem_confirmed", "Problem confirmed", FieldType.DATE),
    Field("core_events", "Core events", FieldType.NUMBER),
    Field("core_events_change", "Core events change", FieldType.PERCENT),
    Field("active_users", "Active users", FieldType.NUMBER),
    Field("open_tickets", "Open tickets", FieldType.NUMBER),
    Field("days_to_renewal", "Days to renewal", FieldType.NUMBER),
    Field("people", "People", FieldType.MANY, target="person"),
)
cycle = register(Entity("cycle", "language.Cycle", "Lead", "Leads", "cycle", title="status"))
cycle.add(
    Field("status", "Status", FieldType.SELECT, choices=choices("new", "working", "qualified", "converted", "lost")),
    Field("stage", "Stage", FieldType.SELECT, choices=choices(*CYCLE_STAGES)),
    Field("score", "Score", FieldType.NUMBER, api="qualificationScore", expression=score),
    Field("person", "Person", FieldType.LINK, target="person"),
)
deal = register(Entity("opportunity_of_test", "language.Deal", "Opportunity", "Opportunities", "deal"))
deal.add(
    Field("name", "Name", FieldType.TEXT),
    Field("stage", "Stage", FieldType.SELECT, choices=choices("prospecting", "proposal", "won", "lost")),
    Field("amount", "Amount", FieldType.MONEY),
    Field("person", "Person", FieldType.LINK, target="person"),
)
note = register(Entity("note", "language.Note", "Note", "Notes", "note"))
note.add(Field("name", "Name", FieldType.TEXT))
