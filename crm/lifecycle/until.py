"""The reason and end date of snoozed records and dismissed exceptions."""

from datetime import datetime, timedelta

from crm.kit import clock
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _

LONGEST = timedelta(days=366)


def check_until(reason: str, until: datetime) -> None:
    """Raise Invalid without a reason, or for a time in the past or more than a year ahead."""
    errors = {}
    if not reason.strip():
        errors["reason"] = _("Enter a reason. It’s visible to your team.")
    if not clock.now() < until <= clock.now() + LONGEST:
        errors["until"] = _("Choose a date within the next year.")
    if errors:
        raise Invalid(errors)
