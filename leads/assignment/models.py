"""Assignment of leads: rules, turns, members' duties, and the first-contact SLA."""

from django.db import models
from django.db.models import Q

from crm.kit import formats
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Owned, Team


def working_days() -> list[int]:
    return [0, 1, 2, 3, 4]


class AssignmentRule(Owned):
    """Assigns leads that match the condition to these members and the team's. The first matching rule wins."""

    class Method(models.TextChoices):
        ROUND_ROBIN = "round_robin", _("Round-robin")
        LEAST_LOADED = "least_loaded", _("Fewest open leads")

    name = models.CharField(max_length=80)
    condition = models.TextField()
    people = models.JSONField(default=list, blank=True)  # membership keys
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="+")
    method = models.CharField(max_length=12, choices=Method.choices, default=Method.ROUND_ROBIN)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("assignment rule")
        ordering = ["position", "pk"]

    def __str__(self):
        return self.name


class Turn(Owned):
    """The last turn of a rule or (no rule) the pool, per team of the contact, because few members may see it.

    The row is locked until commit: concurrent assignments would give two leads to one member.
    """

    rule = models.OneToOneField(AssignmentRule, models.CASCADE, null=True, related_name="+")
    last = models.JSONField(default=dict)  # team of the contact ("" for none) → membership key

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint("workspace", condition=Q(rule__isnull=True), name="turn_of_the_pool")]

    def __str__(self):
        return str(self.rule or gettext("Pool"))


class Duty(Owned):
    """A member's availability. Without one, or with `in_pool` null, only reps are in the pool."""

    member = models.OneToOneField(Membership, models.CASCADE, related_name="duty")
    in_pool = models.BooleanField(null=True)
    is_away = models.BooleanField(default=False)  # skipped by all assignments

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("assignment pool member")

    def __str__(self):
        return str(self.member)


class FirstContactTerms(Owned):
    """The first-contact SLA of a workspace; without a row the defaults apply."""

    hours = models.PositiveSmallIntegerField(default=24)
    in_business_hours = models.BooleanField(default=False)  # otherwise around the clock
    days = models.JSONField(default=working_days)  # Monday is 0
    # Minutes since midnight in the workspace's time zone; 1440 is the end of the day.
    opens = models.PositiveSmallIntegerField(default=9 * 60)
    closes = models.PositiveSmallIntegerField(default=17 * 60)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("first-contact SLA")
        constraints = [models.UniqueConstraint("workspace", name="first_contact_terms_once")]

    def __str__(self):
        return gettext("{hours} h").format(hours=formats.number(self.hours))
