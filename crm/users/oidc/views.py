"""The pages between us and an issuer: sign in, come back, and confirm that it is still you."""

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.core import ratelimit
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from requests import RequestException

from crm.kit.responses import next_url
from crm.users.oidc.adapter import failed
from crm.users.oidc.client import OpenIDConnectClient
from crm.users.oidc.issuers import issuer

# The issuer asks for its password again, even if it knows the browser.
CONFIRM = {"prompt": "login", "max_age": "0"}


@never_cache
@login_not_required
@require_http_methods(["GET", "POST"])
def sign_in(request, provider_id):
    """Offer to sign in with the issuer, then lead there. This is the address that a workspace gives to its members."""
    client = _client(request, provider_id)
    if request.method == "GET":
        return render(request, "users/oidc/sign_in.html", {"issuer": client.issuer, "next": next_url(request)})
    if request.POST.get("process") == AuthProcess.CONNECT and request.user.is_authenticated:
        raise_if_reauthentication_required(request, app="allauth.socialaccount")
        return _leave(request, client, AuthProcess.CONNECT)
    return _leave(request, client, AuthProcess.LOGIN)


@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request, provider_id):
    """Confirm by the issuer that the member is still there, before a change of how they sign in."""
    client = _client(request, provider_id)
    if request.method == "GET":
        return render(request, "users/oidc/confirm.html", {"issuer": client.issuer, "next": next_url(request)})
    return _leave(request, client, AuthProcess.REDIRECT, auth_params=CONFIRM)


@never_cache
@login_not_required
@require_GET
def callback(request, provider_id):
    """Finish what was begun at the issuer."""
    return OAuth2CallbackView.adapter_view(_client(request, provider_id))(request)


def _client(request, provider_id) -> OpenIDConnectClient:
    found = issuer(provider_id)
    if found is None or not found.is_on:
        raise Http404
    return OpenIDConnectClient(request, provider_id)


def _leave(request, client, process, **params):
    """Lead to the issuer by a page, not by a redirect: a form of ours may be sent only to us (form-action)."""
    if limited := ratelimit.consume_or_429(request, action="login"):
        return limited
    provider = client.get_provider()
    try:
        url = provider.redirect(request, process, next_url(request) or None, **params).url
    except (OAuth2Error, RequestException) as error:
        return failed(request, client.issuer, error)
    return render(request, "users/oidc/leave.html", {"issuer": client.issuer, "url": url})
