"""The issuers that a page offers."""

from django import template

from crm.users.adapter import DEVICE_COOKIE_AGE, ISSUER_COOKIE
from crm.users.oidc.entering import linked_issuers
from crm.users.oidc.issuers import INSTALLATION, Issuer, issuer_of, issuers
from crm.users.workspaces import memberships_of

register = template.Library()


@register.simple_tag(takes_context=True)
def issuers_to_sign_in(context) -> list[Issuer]:
    """Return the installation's issuer and the one that this browser used: others would tell of workspaces."""
    used = context["request"].get_signed_cookie(ISSUER_COOKIE, default="", max_age=DEVICE_COOKIE_AGE)
    return issuers([INSTALLATION, used])


@register.simple_tag(takes_context=True)
def issuers_to_link(context) -> list[Issuer]:
    """Return the issuers of the user's workspaces and the installation's, except those that are linked."""
    user = context["request"].user
    linked = linked_issuers(user)
    own = (issuer_of(member.workspace) for member in memberships_of(user))
    found = {each.id: each for each in [*issuers([INSTALLATION]), *own] if each}
    return [each for id, each in found.items() if id not in linked]
