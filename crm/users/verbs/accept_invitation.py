"""Accept an invitation."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from audit.record import update_and_record
from crm.kit.actor import Actor, Role
from crm.kit.clock import now
from crm.kit.errors import Invalid, Refused
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.users.guards import clean_name
from crm.users.models import Invitation, Membership, User
from crm.users.verbs.add_member import add_member


@transaction.atomic
def accept_invitation(
    invitation: Invitation, *, user: User | None = None, name: str = "", password: str | None = "", by: Actor
) -> Membership:
    """Add `user` as member, or first create an account from `name` and `password` for a new address.

    The link authorizes it, or the sign-in provider, which has verified the address; only its new accounts have no
    password (None). `by` is `system(invitation.workspace_id, Channel.WEB)`. Raises Refused for a link that is
    used, expired or for another person, Invalid for an invalid name or password.
    """
    invitation = Invitation.objects.select_for_update().filter(pk=invitation.pk).first()
    if invitation is None or not invitation.is_open:
        raise Refused(_("This invitation has expired. Ask for a new one."))
    user = user or _new_user(invitation.email, name, password)
    if user.email != invitation.email:
        sentence = _("This invitation is for {email}, but you’re signed in as {own}.")
        raise Refused(sentence.format(email=invitation.email, own=user.email))
    member = add_member(user, role=Role(invitation.role), team=invitation.team, by=by)
    update_and_record("invitation.accepted", Invitation.objects.filter(pk=invitation.pk), {"accepted_at": now()}, by=by)
    User.objects.filter(pk=user.pk).update(membership=member)
    return member


def _new_user(email: str, name: str, password: str | None) -> User:
    if User.objects.filter(email=email).exists():
        sentence = _("{email} already has an account. Sign in to accept the invitation.")
        raise Refused(sentence.format(email=email))
    if password is None:
        return User.objects.create_user(email, None, name=name)
    if workspace().require_provider:
        raise Refused(_("Members of {workspace} sign in with its provider.").format(workspace=workspace()))
    name = clean_name(name, at_most=120)
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        raise Invalid({"password": " ".join(error.messages)}) from None
    return User.objects.create_user(email, password, name=name)
