"""allauth's hooks around a sign-in with an issuer: which issuers there are, who may enter, and what went wrong."""

import logging

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from django.db import transaction
from django.shortcuts import redirect, render

from crm.kit.errors import DomainError
from crm.kit.responses import warn
from crm.kit.translation import gettext as _
from crm.users.oidc.entering import admit, check_may_link, check_same_person
from crm.users.oidc.issuers import Issuer, installation, issuer
from crm.users.oidc.protocol import SignInFailed

log = logging.getLogger(__name__)


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """The issuers are ours, not rows of allauth's SocialApp; so are the rules of who may enter."""

    def list_apps(self, request, provider=None, client_id=None):
        found = installation() if provider is None else issuer(provider)
        return [_app(found)] if found else []

    def pre_social_login(self, request, sociallogin):
        """Find, link or create the user. Raises ImmediateHttpResponse with the reason if they may not enter."""
        about = sociallogin.provider.app.issuer
        check = {AuthProcess.CONNECT: check_may_link, AuthProcess.REDIRECT: check_same_person}
        try:
            check.get(sociallogin.state["process"], admit)(request, sociallogin, about)
        except DomainError as error:
            raise ImmediateHttpResponse(problem(request, about, str(error), 403)) from None

    def on_authentication_error(self, request, provider, error=None, exception=None, extra_context=None):
        """Show what went wrong at the issuer or on the way back. Raises ImmediateHttpResponse."""
        about = provider.app.issuer
        if error == AuthError.CANCELLED:
            warn(request, _("You canceled the sign-in with {provider}.").format(provider=about.name))
            raise ImmediateHttpResponse(redirect("account_login"))
        if exception is None and not (extra_context or {}).get("state"):
            sentence = _("This sign-in has expired, or was started in another browser. Start again.")
            raise ImmediateHttpResponse(problem(request, about, sentence, 403))
        raise ImmediateHttpResponse(failed(request, about, exception))

    def send_notification_mail(self, *args, **kwargs):
        """Notify a person of a linked account, once it is: a mail server must not hold the transaction open."""
        notify = super().send_notification_mail
        transaction.on_commit(lambda: notify(*args, **kwargs), robust=True)


def _app(found: Issuer) -> SocialApp:
    app = SocialApp(provider="openid_connect", provider_id=found.id, name=found.name)
    app.client_id, app.secret, app.settings = found.client_id, found.secret, {"server_url": found.address}
    app.issuer = found
    return app


def failed(request, about: Issuer, error: Exception | None):
    """Return the page for an issuer that can't be reached or refuses; the log has the details for operators."""
    log.warning("Sign-in with the provider %s failed: %s", about.id, type(error).__name__)
    if isinstance(error, SignInFailed):
        return problem(request, about, str(error), 502)
    if error is None:
        sentence = _("{provider} refused the sign-in. Ask an admin to check the app’s settings there.")
    else:
        sentence = _("{provider} can’t be reached right now. Try again in a few minutes.")
    return problem(request, about, sentence.format(provider=about.name), 502)


def problem(request, about: Issuer, sentence: str, status: int):
    return render(request, "users/oidc/problem.html", {"issuer": about, "sentence": sentence}, status=status)
