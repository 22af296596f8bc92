"""The type of requests in views, behind the middleware."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from crm.kit.actor import Actor
from crm.users.models import Membership, User


class Request(HttpRequest):
    """A signed-in member's request in their open workspace; only a type, never instantiated."""

    id: str
    user: User
    member: Membership
    actor: Actor
    htmx: HtmxDetails
