"""The request as a view of the product meets it, behind the middleware."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from crm.kit.actor import Actor
from crm.users.models import Membership, User


class Request(HttpRequest):
    """A signed-in person's request in the workspace that they have open; a type only, never made by us."""

    id: str
    user: User
    member: Membership
    actor: Actor
    htmx: HtmxDetails
