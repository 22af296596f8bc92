"""Invite a person by email."""

from dataclasses import dataclass

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from audit.record import record
from crm.kit.actor import Actor, Role
from crm.kit.errors import Refused
from crm.kit.language import speaking_in
from crm.kit.scope import workspace
from crm.kit.text import collapse_to_one_line
from crm.kit.translation import gettext as _
from crm.users.guards import clean_email
from crm.users.models import Invitation, Membership, Team
from crm.users.roles import Right, require


@dataclass(frozen=True)
class InvitationLink:
    """An invitation and its link, available only now: only its token's hash is stored."""

    invitation: Invitation
    link: str


@transaction.atomic
def invite(email: str, *, role: Role, team: Team | None = None, site: str, by: Actor) -> InvitationLink:
    """Create an invitation for `email` and email its link; repeating sends a new link and invalidates the old one.

    `site` is this installation's URL, e.g. https://crm.example. Raises Invalid for an invalid address, Refused for a
    member.
    """
    require(by, Right.PEOPLE)
    email = clean_email(email)
    if Membership.objects.active().filter(user__email=email).exists():
        sentence = _("{member} is already a member of {workspace}.")
        raise Refused(sentence.format(member=email, workspace=workspace()))
    invitation = _open_invitation(email)
    invitation.role, invitation.team, invitation.invited_by_id = role, team, by.member_id
    token = invitation.renew_token()
    invitation.save()
    rows = Invitation.objects.filter(pk=invitation.pk)
    record("invitation.sent", rows, by=by, snapshot=("email", "role", "team", "expires_at"))
    link = site.rstrip("/") + reverse("accept_invitation", args=[token])
    # Robust: a mail server outage must not look like a failed invitation; the page shows the link too. Not through the
    # outbox: its rows are kept, and the token must not be.
    transaction.on_commit(lambda: _mail(invitation, link, by), robust=True)
    return InvitationLink(invitation, link)


def _open_invitation(email: str) -> Invitation:
    waiting = Invitation.objects.select_for_update().filter(email=email, accepted_at__isnull=True)
    return waiting.first() or Invitation(email=email)


def _mail(invitation: Invitation, link: str, by: Actor) -> None:
    """Send the link in the workspace's language: the person's own is unknown."""
    space = invitation.workspace
    with speaking_in(space):
        subject = _("{name} invited you to {workspace}").format(name=by.name, workspace=space.name)
        text = render_to_string("users/mail/invitation.txt", {"invitation": invitation, "link": link, "by": by})
    send_mail(collapse_to_one_line(subject), text, None, [invitation.email])
