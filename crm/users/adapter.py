"""Changes to allauth's sign-in: no public sign-up, no lock-out, and a real 429.

Why: docs/decisions/0054-sign-ins-counted-in-the-database.md
"""

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import truncate_ip
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import salted_hmac

from crm.kit.language import speaking_to
from crm.users.models import User
from crm.users.sign_ins import record_failed
from crm.users.workspaces import remembered_membership

DEVICE_COOKIE = "device"
DEVICE_COOKIE_AGE = 365 * 24 * 3600  # seconds


class AccountAdapter(DefaultAccountAdapter):
    """Counts failed sign-ins per address, per address and account, and, with a higher limit, per account."""

    def is_open_for_signup(self, request):
        return False

    def pre_authenticate(self, request, **credentials):
        """Return a 429 instead of allauth's form error. Raises ImmediateHttpResponse."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            raise ImmediateHttpResponse(ratelimit.respond_429(request)) from error

    def authentication_failed(self, request, **credentials):
        """Count the failure against the account, from any address, and record it."""
        email = credentials.get("email", "").lower()
        ratelimit.consume(request, action="account_failed", key=email)
        record_failed(email)

    def authenticate(self, request, **credentials):
        """Limit attempts per address after many failures on an account, so that distributed guessing becomes slow.
        Addresses don't use up each other's attempts: with the password, the first attempt succeeds. Browsers known from
        an earlier sign-in are exempt.
        """
        email = credentials.get("email", "").lower()
        if not self._is_known_device(request, email) and self._is_under_attack(request, email):
            key = f"{self._address(request)}:{email}"
            if not ratelimit.consume(request, action="under_attack", key=key):
                raise ImmediateHttpResponse(ratelimit.respond_429(request))
        return super().authenticate(request, **credentials)

    def post_login(self, request, user, **kwargs):
        """Mark this browser as known for the user."""
        response = super().post_login(request, user, **kwargs)
        response.set_signed_cookie(
            DEVICE_COOKIE,
            _device_mark(user.email),
            max_age=DEVICE_COOKIE_AGE,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
        return response

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """Notify a person of an account change, possibly at their former address."""
        super().send_notification_mail(template_prefix, user, {"user": user} | (context or {}), email)

    def send_mail(self, template_prefix, email, context):
        """Send email to members in their language and time zone, to others in the browser's."""
        user = context.get("user") or User.objects.filter(email=email.lower()).first()
        with _speaking_to(user):
            super().send_mail(template_prefix, email, context)

    def _get_login_attempts_cache_key(self, request, **credentials):
        # With the client's address in the key, a remote attacker cannot use up the owner's attempts.
        return f"{self._address(request)}:{super()._get_login_attempts_cache_key(request, **credentials)}"

    def _address(self, request) -> str:
        """Return the client's address; for IPv6, where a client has 2**64 of them, its network."""
        return truncate_ip(self.get_client_ip(request))

    def _is_under_attack(self, request, email: str) -> bool:
        return not ratelimit.consume(request, action="account_failed", key=email, dry_run=True)

    def _is_known_device(self, request, email: str) -> bool:
        mark = request.get_signed_cookie(DEVICE_COOKIE, default="", max_age=DEVICE_COOKIE_AGE)
        return mark == _device_mark(email)


@contextmanager
def _speaking_to(user: User | None) -> Iterator[None]:
    member = remembered_membership(user) if user else None
    if user is None or member is None:
        yield
        return
    zone = ZoneInfo(user.timezone or member.workspace.timezone)
    with speaking_to(user, member.workspace), timezone.override(zone):
        yield


def _device_mark(email: str) -> str:
    return salted_hmac("crm.users.device", email.lower()).hexdigest()
