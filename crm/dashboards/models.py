"""Stored forecasts, layouts and subscriptions of dashboards."""

from django.db import models

from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Owned


class Forecast(Owned):
    """The pipeline on a day: one row per stage, closing month and currency. Immutable."""

    day = models.DateField()
    stage = models.CharField(max_length=30)
    month = models.CharField(max_length=7, blank=True)  # e.g. 2026-03; '' without a close date
    currency = models.CharField(max_length=3)
    count = models.PositiveIntegerField()
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    weighted = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta(Owned.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["workspace", "day", "stage", "month", "currency"], name="forecast_once")
        ]

    def __str__(self):
        return f"{self.day}: {self.stage} {self.currency}"


class Layout(Owned):
    """A member's cards in order; others are hidden."""

    member = models.OneToOneField(Membership, models.CASCADE, related_name="+")
    parts = models.JSONField(default=list)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("dashboard layout")

    def __str__(self):
        return gettext("Dashboard of {member}").format(member=self.member)


class Subscription(Owned):
    """A dashboard emailed to a member: `query` is its URL's query string."""

    class Every(models.TextChoices):
        """Frequency."""

        NEVER = "", _("Never")
        DAY = "day", _("Daily")
        WEEK = "week", _("Weekly, on Monday")
        MONTH = "month", _("Monthly, on the 1st")

    member = models.OneToOneField(Membership, models.CASCADE, related_name="+")
    query = models.TextField(blank=True)
    days = models.PositiveSmallIntegerField()  # the period's length, up to the day of the email
    every = models.CharField(max_length=5, choices=Every.choices, blank=True)
    sent_on = models.DateField(null=True)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("dashboard subscription")

    def __str__(self):
        return f"{self.every}: {self.member}"
