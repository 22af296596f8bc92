"""Conditions for dropping the retired table: its readers, and what is missing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from crm.kit import clock, formats
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.models import DropConfirmation, LegacyVisit, MigrationRun, OldLeads
from crm.users.models import Membership

QUIET = timedelta(days=90)  # a quarter without a read (source 000: the table stays for one quarter)
CONFIRMING = 2  # admins, if there are as many
NOT_MIGRATED = _("The legacy leads have not been migrated. Run manage.py migrate_leads --commit.")
NOT_EXPORTED = _("There is no export. Run manage.py export_legacy_leads FILE.")
NOT_REHEARSED = _("The export has not been verified. Run manage.py export_legacy_leads FILE --rehearse.")


@dataclass(frozen=True)
class Status:
    """The last effective run (None: none), the table's last read, and the number of readers since the commit."""

    run: MigrationRun | None
    last_read: LegacyVisit | None
    readers: int

    @property
    def droppable(self) -> datetime | None:
        """The earliest drop: a quarter after the commit and the last read."""
        if self.run is None or self.run.committed_at is None:
            return None
        read = self.last_read.last_at if self.last_read else None
        return max(self.run.committed_at, read or self.run.committed_at) + QUIET


def status() -> Status:
    """Return the status of the workspace in scope."""
    run = MigrationRun.objects.exclude(state=MigrationRun.State.UNDONE).order_by("-pk").first()
    reads = LegacyVisit.objects.filter(last_at__isnull=False)
    last = reads.select_related("member__user").order_by("-last_at").first()
    since = reads.filter(last_at__gt=run.committed_at) if run and run.committed_at else reads.none()
    return Status(run, last, since.order_by().values("member").distinct().count())


def confirmations(run: MigrationRun) -> list[DropConfirmation]:
    """Return confirmations since the commit by current admins."""
    given = DropConfirmation.objects.filter(member__in=Membership.objects.admins(), at__gte=run.committed_at)
    return list(given.select_related("member__user").order_by("at"))


def missing(retired: OldLeads) -> list[str]:
    """Return a message per unmet condition of the workspace in scope; [] if already dropped."""
    if retired.dropped_at:
        return []
    now = status()
    if now.run is None or now.droppable is None:
        return [str(NOT_MIGRATED)]
    return [*_read(now, now.run, now.droppable), *_unconfirmed(now.run), *_unproved(retired)]


def _read(now: Status, run: MigrationRun, droppable: datetime) -> list[str]:
    if clock.now() >= droppable or run.committed_at is None:
        return []
    sentence = (
        gettext(
            "The table must not be read for {days} days. It was migrated on {migrated}. Last read: {read}. "
            "It can be dropped from {droppable} if no one reads it before."
        )
        if now.last_read
        else gettext(
            "The table must not be read for {days} days. It was migrated on {migrated} and has not been read. "
            "It can be dropped from {droppable} if no one reads it before."
        )
    )
    migrated, first = (formats.day(timezone.localtime(at)) for at in (run.committed_at, droppable))
    return [sentence.format(days=QUIET.days, migrated=migrated, read=now.last_read, droppable=first)]


def _unconfirmed(run: MigrationRun) -> list[str]:
    given, wanted = confirmations(run), max(1, min(CONFIRMING, Membership.objects.admins().count()))
    if len(given) >= wanted:
        return []
    counts = {"given": formats.number(len(given)), "wanted": formats.number(wanted)}
    if not given:
        sentence = gettext("Admin confirmations: {given} of {wanted}. Confirm under Settings → Lead migration.")
        return [sentence.format(**counts)]
    sentence = gettext("Admin confirmations: {given} of {wanted} ({names}). Confirm under Settings → Lead migration.")
    return [sentence.format(names=", ".join(str(each.member) for each in given), **counts)]


def _unproved(retired: OldLeads) -> list[str]:
    if not retired.exported_at:
        return [str(NOT_EXPORTED)]
    return [] if retired.rehearsed_at else [str(NOT_REHEARSED)]
