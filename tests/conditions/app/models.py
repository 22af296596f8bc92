"""Records with every kind of field and link, to test the language independently of the product."""

from django.db import models

from crm.kit.ids import new_id
from crm.users.models import Membership, Owned, Team
from crm.users.visibility import RecordManager


def firm_id():
    return new_id("firm")


class Firm(Owned):
    public_id = models.CharField(max_length=40, default=firm_id, unique=True)
    name = models.CharField(max_length=120)
    industry = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2, blank=True)
    fleet_size = models.IntegerField(null=True)
    problem_confirmed = models.DateField(null=True)
    core_events = models.IntegerField(null=True)
    core_events_change = models.FloatField(null=True)
    active_users = models.IntegerField(null=True)
    open_tickets = models.IntegerField(null=True)
    days_to_renewal = models.IntegerField(null=True)
    custom = models.JSONField(default=dict)


class Person(Owned):
    public_id = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=120, null=True)
    role = models.CharField(max_length=40, blank=True)
    lifecycle_stage = models.CharField(max_length=20, null=True)
    budget = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    headcount = models.IntegerField(null=True)
    discount = models.DecimalField(max_digits=6, decimal_places=4, null=True)
    birthday = models.DateField(null=True)
    last_activity = models.DateTimeField(null=True)
    consent = models.BooleanField(null=True)
    channels = models.JSONField(null=True)
    owner = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+")
    company = models.ForeignKey(Firm, models.SET_NULL, null=True, related_name="people")
    manager = models.ForeignKey("self", models.SET_NULL, null=True, related_name="reports")
    custom = models.JSONField(default=dict)


class Cycle(Owned):
    person = models.ForeignKey(Person, models.CASCADE, related_name="cycles")
    is_current = models.BooleanField(default=False)
    status = models.CharField(max_length=20)
    stage = models.CharField(max_length=20, blank=True)
    tenths = models.IntegerField(null=True)


class Deal(Owned):
    name = models.CharField(max_length=120)
    person = models.ForeignKey(Person, models.CASCADE, related_name="deals")
    stage = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    deleted_at = models.DateTimeField(null=True)
    objects = RecordManager()


class Note(Owned):
    """An entity without custom fields."""

    name = models.CharField(max_length=120)
