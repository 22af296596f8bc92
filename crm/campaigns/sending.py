"""Delivery of one campaign email: checked again, sent outside any transaction, recorded in one.

A crash between sending and recording may send it twice, with the same Message-ID.

Why: docs/decisions/0020-campaign-mail-is-a-delivery.md
"""

from smtplib import SMTPRecipientsRefused

from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from audit.record import LogRow, record_rows, update_and_record
from contacts.models import Contact
from crm.campaigns.audience import annotate_exclusions
from crm.campaigns.messages import campaign_message
from crm.campaigns.models import Campaign, CampaignPerson
from crm.events.deliveries import ATTEMPTS, first_line
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import DomainError
from crm.kit.language import speaking_in
from crm.kit.scope import workspace

State = CampaignPerson.State


def deliver(pk: int, *, by: Actor, connection: BaseEmailBackend | None = None) -> None:
    """Send a recipient their email if they still wait for one and may be emailed; otherwise do nothing.

    Transient errors are raised, so that the delivery is retried; the last attempt is recorded as failed. `connection`:
    an alternative to the configured mail server.
    """
    with speaking_in(workspace()):  # the language of stored reasons
        person = _attempted(pk)
        if person:
            try:
                mail = campaign_message(person)
                mail.connection = connection
                mail.send()
            except Exception as error:
                _missed(person, error)
            else:
                _sent(person, by)
        _finish(pk, by)


@transaction.atomic
def _attempted(pk: int) -> CampaignPerson | None:
    """Return the recipient with one more attempt; None if they must not be emailed (any longer)."""
    rows = CampaignPerson.objects.filter(pk=pk)
    waiting = rows.filter(state=State.WAITING, campaign__status=Campaign.Status.SENDING)
    held = waiting.select_for_update(of=("self",))
    person = held.select_related("contact", "campaign__owner__user", "campaign__workspace").first()
    if person is None:
        return None
    why_not = annotate_exclusions(Contact.objects.filter(pk=person.contact_id)).values_list("why_not", flat=True).get()
    if why_not:
        rows.update(state=State.LEFT_OUT, reason=why_not)
        return None
    # Committed before the email is built, so that a crash counts as an attempt.
    rows.update(attempts=F("attempts") + 1)
    person.attempts += 1
    return person


def _missed(person: CampaignPerson, error: Exception) -> None:
    """Record a permanent failure; raise the error if it is transient and attempts are left."""
    if not (_is_final(error) or person.attempts >= ATTEMPTS):
        raise error
    reason = str(error) if isinstance(error, DomainError) else first_line(error)
    waiting = CampaignPerson.objects.filter(pk=person.pk, state=State.WAITING)
    waiting.update(state=State.FAILED, reason=reason[:300])


def _is_final(error: Exception) -> bool:
    """Return whether a field was deleted or the mail server rejects the address permanently (5xx)."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, DomainError | ValueError)


@transaction.atomic
def _sent(person: CampaignPerson, by: Actor) -> None:
    """Record the email as sent, once, even if the campaign was canceled meanwhile."""
    rows = CampaignPerson.objects.filter(pk=person.pk, sent_at__isnull=True)
    held = rows.select_for_update(of=("self",)).first()
    if held is None:
        return
    state = held.state if held.state == State.UNSUBSCRIBED else State.SENT
    rows.update(state=state, reason="", sent_at=clock.now())
    record_rows("campaign.mailed", [LogRow(person.campaign_id, held.contact_id, None, None)], by=by)


def _finish(pk: int, by: Actor) -> None:
    """Finish the campaign if this was its last email.

    Runs after the email's own commit: of two concurrent last ones, the later sees the other's.
    """
    waiting = CampaignPerson.objects.filter(campaign=OuterRef("pk"), state=State.WAITING)
    rows = Campaign.objects.filter(people=pk, status=Campaign.Status.SENDING)
    if not rows.exclude(Exists(waiting)).exists():
        return
    with transaction.atomic():
        held = rows.select_for_update(of=("self",)).first()
        if held and not held.people.filter(state=State.WAITING).exists():
            over = {"status": Campaign.Status.SENT, "finished_at": clock.now()}
            update_and_record("campaign.finished", Campaign.objects.filter(pk=held.pk), over, by=by)
