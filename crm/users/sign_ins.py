"""Sign-in events in the audit log of the user's open workspace, from allauth's signals.

Passwords, codes and secrets are never included. A failed attempt at an unknown address belongs to no workspace: it is
logged without the address.

Why: docs/decisions/0044-sign-ins-from-signals.md
"""

import logging

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.socialaccount import signals as social
from django.db import transaction

from audit.record import record
from crm.kit.actor import Actor, Channel, system
from crm.kit.scope import in_workspace
from crm.users.models import Membership, User
from crm.users.workspaces import remembered_membership, workspace_of_session

logger = logging.getLogger(__name__)


def record_failed(email: str, note: str = "password") -> None:
    """Record a failed sign-in as `email` (any case); `note` is the method."""
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    if user is None or not _record("user.sign_in_failed", user, note, nobody_yet=True):
        logger.warning("Failed sign-in to an account that is not there.")


def record_second_factor_removed(user: User, kind: str) -> None:
    _record("user.factor_removed", user, kind, nobody_yet=True)


def record_denied(by: Actor, note: str) -> None:
    """Record an action denied by role; `note`: method and route."""
    with transaction.atomic():
        record("member.denied", Membership.objects.filter(pk=by.member_id), by=by, note=note)


@transaction.atomic
def _record(event: str, user: User, note: str = "", *, through: int | None = None, nobody_yet: bool = False) -> bool:
    """Write the entry, as the person or (`nobody_yet`) the system; return False for users without a membership.

    `through`: the workspace whose issuer the session is of.
    """
    member = remembered_membership(user, through)
    if member is None:
        return False
    by = system(member.workspace_id, Channel.WEB) if nobody_yet else member.actor(Channel.WEB)
    with in_workspace(member.workspace):
        record(event, User.objects.filter(pk=user.pk), by=by, note=note)
    return True


def _listen(signal, event: str, note=lambda facts: "", **options) -> None:
    def receiver(sender, user, request, **facts):
        _record(event, user, note(facts), through=workspace_of_session(request), **options)

    signal.connect(receiver, weak=False, dispatch_uid=f"{event} {id(signal)}")


def _factor(facts: dict) -> str:
    return str(facts["authenticator"].type)


def _listen_to_links(signal, event: str, account_of) -> None:
    def receiver(sender, request, **facts):
        account = account_of(facts)
        issuer = account.get_provider(request).app.issuer
        _record(event, account.user, issuer.name, through=issuer.workspace and issuer.workspace.pk)

    signal.connect(receiver, weak=False, dispatch_uid=event)


def _issuer(facts: dict) -> str:
    return facts["sociallogin"].provider.app.issuer.name if "sociallogin" in facts else ""


def listen() -> None:
    """Connect allauth's signals; called once at startup."""
    _listen(account.user_logged_in, "user.signed_in", _issuer)
    _listen_to_links(social.social_account_added, "user.account_linked", lambda facts: facts["sociallogin"].account)
    _listen_to_links(social.social_account_removed, "user.account_unlinked", lambda facts: facts["socialaccount"])
    for signal in (account.password_changed, account.password_set, account.password_reset):
        _listen(signal, "user.password_changed")
    _listen(account.email_changed, "user.email_changed", lambda facts: facts["to_email_address"].email)
    _listen(mfa.authenticator_added, "user.factor_added", _factor)
    _listen(mfa.authenticator_removed, "user.factor_removed", _factor)
    _listen(mfa.authenticator_reset, "user.factor_reset", _factor)
    _listen(mfa.authentication_failed, "user.sign_in_failed", _factor, nobody_yet=True)
