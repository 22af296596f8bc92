"""Who is given which leads, by which rules; and how soon somebody has to have spoken with them."""

from django.db import models
from django.db.models import Q

from crm.kit import formats
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Owned, Team


def working_days() -> list[int]:
    return [0, 1, 2, 3, 4]


class AssignmentRule(Owned):
    """Leads that meet the condition go to these people, and to those of the team. The first rule that fits decides."""

    class Method(models.TextChoices):
        ROUND_ROBIN = "round_robin", _("Round-robin")
        LEAST_LOADED = "least_loaded", _("Fewest open leads")

    name = models.CharField(max_length=80)
    condition = models.TextField()
    people = models.JSONField(default=list, blank=True)  # primary keys of memberships
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="+")
    method = models.CharField(max_length=12, choices=Method.choices, default=Method.ROUND_ROBIN)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta(Owned.Meta):
        abstract = False
        ordering = ["position", "pk"]

    def __str__(self):
        return self.name


class Turn(Owned):
    """Whose turn it was last, of a rule or (no rule) of the pool: apart for each team, whose contacts few may see.

    Its row is locked by whoever assigns, until they commit: two at once would give two leads to the same person.
    """

    rule = models.OneToOneField(AssignmentRule, models.CASCADE, null=True, related_name="+")
    last = models.JSONField(default=dict)  # team of the contact ("" for none) → primary key of a membership

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint("workspace", condition=Q(rule__isnull=True), name="turn_of_the_pool")]

    def __str__(self):
        return str(self.rule or gettext("Pool"))


class Duty(Owned):
    """Whether a member takes leads. Without one, or with `in_pool` empty, reps are in the pool and others are not."""

    member = models.OneToOneField(Membership, models.CASCADE, related_name="duty")
    in_pool = models.BooleanField(null=True)
    is_away = models.BooleanField(default=False)  # passed over everywhere

    class Meta(Owned.Meta):
        abstract = False

    def __str__(self):
        return str(self.member)


class FirstContactTerms(Owned):
    """Within how many hours a new lead is to be spoken with; a workspace without a row has the defaults."""

    hours = models.PositiveSmallIntegerField(default=24)
    in_business_hours = models.BooleanField(default=False)  # else round the clock
    days = models.JSONField(default=working_days)  # Monday is 0
    # Minutes since midnight, by the clocks of the workspace; 1440 is midnight at the end of the day.
    opens = models.PositiveSmallIntegerField(default=9 * 60)
    closes = models.PositiveSmallIntegerField(default=17 * 60)

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint("workspace", name="first_contact_terms_once")]

    def __str__(self):
        return gettext("{hours} h").format(hours=formats.number(self.hours))
