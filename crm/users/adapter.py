"""Changes to allauth's sign-in: no public sign-up, no lock-out, and a real 429.

Why: docs/decisions/0054-sign-ins-counted-in-the-database.md
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.app_settings import REAUTHENTICATION_TIMEOUT
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import truncate_ip
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from crm.kit.language import speaking_to
from crm.kit.translation import gettext as _
from crm.users.models import User
from crm.users.oidc.issuers import issuer
from crm.users.sign_ins import record_failed
from crm.users.workspaces import THROUGH, remembered_membership, workspace_of_session

DEVICE_COOKIE = "device"
DEVICE_COOKIE_AGE = 365 * 24 * 3600  # seconds
ISSUER_COOKIE = "issuer"  # the workspace's issuer that this browser signed in with: its button is on the sign-in page


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

    def post_login(self, request, user, *, signal_kwargs, **kwargs):
        """Note what the session opens, and mark this browser as known for the user."""
        login = (signal_kwargs or {}).get("sociallogin")
        used = login and login.provider.app.issuer
        request.session[THROUGH] = (used.workspace.pk if used.workspace else 0) if used else None
        response = super().post_login(request, user, signal_kwargs=signal_kwargs, **kwargs)
        self._remember(response, DEVICE_COOKIE, _device_mark(user.email))
        if used and used.workspace:
            self._remember(response, ISSUER_COOKIE, used.id)
        return response

    def _remember(self, response, cookie: str, value: str) -> None:
        secure, age = self.request.is_secure(), DEVICE_COOKIE_AGE
        response.set_signed_cookie(cookie, value, max_age=age, secure=secure, httponly=True, samesite="Lax")

    def get_reauthentication_methods(self, user):
        """Return how a member confirms a change: after a sign-in with an issuer, first by the issuer."""
        methods, last = super().get_reauthentication_methods(user), self._last_issuer(user)
        if last is None:
            return methods
        description = _("Continue with {provider}").format(provider=last.name)
        url = reverse("openid_connect_confirm", args=[last.id])
        return [{"id": "openid_connect", "description": description, "url": url}, *methods]

    def is_reauthentication_required(self, *, app, **kwargs):
        """Return whether to ask again: not if the issuer has just confirmed the member."""
        records = get_authentication_records(self.request, self.request.user)
        since = time.time() - REAUTHENTICATION_TIMEOUT
        confirmed = any(
            r["method"] == "socialaccount" and r.get("reauthenticated") and r["at"] > since for r in records
        )
        return not confirmed and super().is_reauthentication_required(app=app, **kwargs)

    def _last_issuer(self, user):
        records = get_authentication_records(self.request, user)
        used = [record["provider"] for record in records if record["method"] == "socialaccount"]
        found = issuer(used[-1]) if used and workspace_of_session(self.request) is not None else None
        return found if found and found.is_on else None

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
