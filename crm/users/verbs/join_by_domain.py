"""Join a workspace by the domain of a verified email address."""

from django.db import transaction

from crm.kit.actor import Actor, Role
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.models import IdentityProvider, Membership, User
from crm.users.oidc.issuers import domain_of
from crm.users.verbs.add_member import add_member


@transaction.atomic
def join_by_domain(
    provider: IdentityProvider, email: str, *, user: User | None = None, name: str = "", by: Actor
) -> Membership:
    """Add `user`, or a new one without a password, with the role and team of the workspace's sign-in settings.

    An issuer that may speak for the domain has verified the address: `by` is `system(workspace_id, Channel.WEB)`.
    Raises Refused if the settings don't admit the domain (any more).
    """
    provider = IdentityProvider.objects.select_for_update(of=("self",)).select_related("join_team").get(pk=provider.pk)
    domain = domain_of(email)
    if not (provider.is_on and provider.join_role and domain in provider.domains):
        raise Refused(_("{email} isn’t a member. Ask a workspace admin for an invitation.").format(email=email))
    user = user or User.objects.create_user(email, None, name=name)
    return add_member(user, role=Role(provider.join_role), team=provider.join_team, note=domain, by=by)
