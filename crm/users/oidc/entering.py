"""Who enters through an issuer: linked users, users it may speak for, and those who may join.

A workspace's admins choose its issuer, so other workspaces can't rely on what it says. It opens only its own workspace,
and links by email only users who have no other.

Why: docs/decisions/0077-a-provider-speaks-for-its-workspace.md
"""

import time

from allauth.account.internal.flows.login import record_authentication
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.db import IntegrityError, transaction

from crm.kit.actor import Channel, system
from crm.kit.clock import now
from crm.kit.errors import Refused
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext as _
from crm.users.models import IdentityProvider, Invitation, Membership, User
from crm.users.oidc.issuers import Issuer, domain_of
from crm.users.verbs.accept_invitation import accept_invitation
from crm.users.verbs.join_by_domain import join_by_domain
from crm.users.workspaces import memberships_of, workspace_of_session

JUST_NOW = 300  # seconds since the issuer asked for the password


def admit(request, login: SocialLogin, issuer: Issuer) -> None:
    """Set the login's user: linked before, linked now, or new. Raises Refused with the reason."""
    try:
        with transaction.atomic():
            _admit(request, login, issuer)
    except IntegrityError:  # another tab was quicker to create or link the same person
        login.user = login.account.pk = None
        login.lookup()
        with transaction.atomic():
            _admit(request, login, issuer)


def _admit(request, login: SocialLogin, issuer: Issuer) -> None:
    is_linked, email = login.is_existing, login.identity.email
    if not (is_linked or email):
        sentence = _("{provider} hasn’t verified your email address, so we can’t tell who you are.")
        raise Refused(sentence.format(provider=issuer.name))
    user = login.user if is_linked else User.objects.filter(email=email).first()
    if user and not (is_linked or _may_link_by_email(request, user, issuer)):
        sentence = _(
            "{email} already has an account. Sign in with your password, then link {provider} in Settings → Security."
        )
        raise Refused(sentence.format(email=email, provider=issuer.name))
    if user and user.is_superuser and issuer.workspace:
        raise Refused(_("Operators sign in with their password."))
    user = _member(user, login, issuer)
    if not is_linked:
        login.connect(request, User.objects.get(pk=user.pk))  # it saves all fields of the user


def _may_link_by_email(request, user: User, issuer: Issuer) -> bool:
    if request.user == user and workspace_of_session(request) is None:
        return True
    return issuer.speaks_for(user.email) and (issuer.workspace is None or _has_no_other(user, issuer))


def _has_no_other(user: User, issuer: Issuer) -> bool:
    others = Membership.objects.unscoped().filter(user=user).exclude(workspace=issuer.workspace)
    return not (user.is_superuser or others.exists())


def _member(user: User | None, login: SocialLogin, issuer: Issuer) -> User:
    """Return the user, who is a member by now. Raises Refused."""
    if user and _is_in(user, issuer):
        return user
    email = login.identity.email
    about = {"user": user, "name": login.identity.name or email.partition("@")[0]}
    if user is None or user.email == email:
        if invitation := _invitation(email, issuer):
            return _in_scope(invitation, lambda by: accept_invitation(invitation, **about, password=None, by=by))
        if user and _was_deactivated(user, issuer):
            raise Refused(_("Your access was deactivated. Ask a workspace admin to reactivate it."))
        if row := _joinable(email, issuer):
            return _in_scope(row, lambda by: join_by_domain(row, email, **about, by=by))
    if user and issuer.workspace is None:
        return user  # as with a password, who then sees that they have no workspace
    raise Refused(_("{email} isn’t a member. Ask a workspace admin for an invitation.").format(email=email or user))


def _is_in(user: User, issuer: Issuer) -> bool:
    mine = memberships_of(user)
    return (mine.filter(workspace=issuer.workspace) if issuer.workspace else mine).exists()


def _was_deactivated(user: User, issuer: Issuer) -> bool:
    former = Membership.objects.unscoped().filter(user=user, is_active=False)
    return (former.filter(workspace=issuer.workspace) if issuer.workspace else former).exists()


def _in_scope(row: Invitation | IdentityProvider, join) -> User:
    with in_workspace(row.workspace):
        return join(system(row.workspace_id, Channel.WEB)).user


def _invitation(email: str, issuer: Issuer) -> Invitation | None:
    found = Invitation.objects.unscoped().filter(email=email, accepted_at=None, expires_at__gt=now())
    found = found.filter(workspace=issuer.workspace) if issuer.workspace else found
    return found.select_related("workspace").order_by("pk").first() if email else None


def _joinable(email: str, issuer: Issuer) -> IdentityProvider | None:
    """Return the settings by which the address may join: one workspace's, or none if several would take it."""
    if not issuer.speaks_for(email):
        return None
    rows = IdentityProvider.objects.unscoped().filter(is_on=True).exclude(join_role="")
    rows = rows.filter(workspace=issuer.workspace) if issuer.workspace else rows.filter(issuer="")
    found = [row for row in rows.select_related("workspace", "join_team") if domain_of(email) in row.domains]
    return found[0] if len(found) == 1 else None


def check_may_link(request, login: SocialLogin, issuer: Issuer) -> None:
    """Check that the signed-in user may link the identity. Raises Refused."""
    if workspace_of_session(request) is not None:
        raise Refused(_("Sign in with your password to link another account."))
    if issuer.workspace and (request.user.is_superuser or not _is_in(request.user, issuer)):
        raise Refused(_("You aren’t a member of that workspace."))


def check_same_person(request, login: SocialLogin, issuer: Issuer) -> None:
    """Note in the session that the issuer has just confirmed the signed-in user. Raises Refused."""
    at = login.identity.signed_in_at
    if not login.is_existing or login.user != request.user:
        raise Refused(_("You confirmed with another account. Use the one that you’re signed in with."))
    if at is not None and at < time.time() - JUST_NOW:
        raise Refused(_("{provider} didn’t ask you to sign in again.").format(provider=issuer.name))
    about = {"provider": login.account.provider, "uid": login.account.uid}
    record_authentication(request, request.user, "socialaccount", **about, reauthenticated=True)


def linked_issuers(user: User) -> list[str]:
    return list(SocialAccount.objects.filter(user=user).order_by("pk").values_list("provider", flat=True))
