"""The current member and workspace, and access checks."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import IntegrityError
from django.http import FileResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request

from crm.kit.actor import Channel
from crm.kit.language import speaking, speaking_to
from crm.kit.read_tracking import TableReader, reading_as
from crm.kit.responses import error_page
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext as _
from crm.users import once
from crm.users.oidc.issuers import issuer_of
from crm.users.once import AlreadySubmitted
from crm.users.sign_ins import record_denied
from crm.users.workspaces import memberships_of, open_membership, workspace_of_session

# Reachable without a membership, or without the 2FA that a workspace requires, to be able to get them.
PERSONAL = ("/accounts/", "/invitation/")
# What signs in without the issuer, or links another one.
SIGNS_IN_ALONE = {
    *("account_email", "account_change_password", "account_set_password", "mfa_add_webauthn"),
    "socialaccount_connections",
}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


class MemberMiddleware:
    """Sets `request.member` and `request.actor` and opens the workspace; both None without sign-in.

    Deactivations and role changes apply from the next request: nothing is kept between requests.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        is_user = request.user.is_authenticated
        request.member = open_membership(request.user, workspace_of_session(request)) if is_user else None
        request.actor = None
        if request.member is None:
            with reading_as(lambda: _presence(request)), speaking(get_language_from_request(request)):
                response = self.get_response(request)
            patch_vary_headers(response, ["Accept-Language"])
            return response
        workspace = request.member.workspace
        request.actor = request.member.actor(Channel.ADMIN if _is_admin_page(request) else Channel.WEB)
        zone = ZoneInfo(request.user.timezone or workspace.timezone)
        with (
            in_workspace(workspace),
            reading_as(lambda: _presence(request)),
            timezone.override(zone),
            speaking_to(request.user, workspace),
        ):
            response = self.get_response(request)
            if response.status_code in (409, 422) and (made := _made_before(request)):
                response = made  # the second of two clicks came too late to be stopped
            elif response.status_code == 302 and request.actor.once:
                request.actor.once.led_to(response["Location"], request.actor.change)
            if response.status_code == 403:
                record_denied(request.actor, f"{request.method} /{_route(request)}")
        if response.streaming and not isinstance(response, FileResponse):
            response.streaming_content = _streamed_in(request, response.streaming_content)
        return response

    def process_view(self, request, view, args, kwargs):
        """Stop users without an open workspace, or with a form from another one."""
        if not request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        if request.path.startswith(PERSONAL):
            return _local_only(request)
        if request.member is None:
            return None if _is_operator(request) else _no_workspace(request)
        if request.member.workspace.require_mfa and not request.user.has_mfa:
            sentence = _("{workspace} requires two-factor authentication. Set it up to continue.")
            messages.warning(request, sentence.format(workspace=request.member.workspace))
            return redirect("mfa_index")
        return _wrong_workspace(request) or _submitted_before(request)

    def process_exception(self, request, exception):
        """Redirect a double submission to the first one's result, also if a unique name stopped it."""
        return _made_before(request) if isinstance(exception, AlreadySubmitted | IntegrityError) else None


def _local_only(request):
    """Refuse what would let a session of one workspace's issuer sign in to the user's other workspaces, too."""
    if not workspace_of_session(request) or request.resolver_match.url_name not in SIGNS_IN_ALONE:
        return None
    sentence = _("You signed in with your workspace’s provider. Sign in with your password to change this.")
    return error_page(request, 403, sentence)


def _no_workspace(request):
    """Return the page for a user whose session opens no workspace, with the issuers that would."""
    mine = [member.workspace for member in memberships_of(request.user)]
    ways = [(workspace, issuer_of(workspace)) for workspace in mine]
    return render(request, "users/no_workspace.html", {"ways": [way for way in ways if way[1]]}, status=403)


def _submitted_before(request):
    """Return the response to a form already submitted; otherwise let the actor claim its one-time key."""
    key = once.one_time_key_of(request)
    if key is None:
        return None
    if made := key.result(request):
        return redirect(made)
    request.actor = replace(request.actor, once=key)
    return None


def _made_before(request):
    key = request.actor and request.actor.once
    made = key.result(request) if key and not key.is_of(request.actor.change) else ""
    return redirect(made) if made else None


def _presence(request) -> TableReader:
    channel = request.actor.channel if request.actor else Channel.ADMIN if _is_admin_page(request) else Channel.WEB
    return TableReader(request.actor and request.actor.member_id, f"{channel} /{_route(request)}")


def _route(request) -> str:
    """Return the route, because a path may contain typed text."""
    return request.resolver_match.route if request.resolver_match else ""


def _is_admin_page(request) -> bool:
    return request.path.startswith("/admin/")


def _is_operator(request) -> bool:
    return request.user.is_superuser and _is_admin_page(request)


def _wrong_workspace(request):
    # The admin's forms have a field called workspace of their own; they never carry ours.
    if request.method in SAFE_METHODS or _is_admin_page(request):
        return None
    made_in = request.POST.get("workspace") or request.headers.get("X-Workspace")
    if not made_in or made_in == request.member.workspace.slug:
        return None
    sentence = _(
        "You’re now in {workspace}, but this page belongs to another workspace. No changes were saved. Switch back and "
        "submit again."
    )
    return error_page(request, 409, sentence.format(workspace=request.member.workspace))


def _streamed_in(request, chunks):
    # The server reads the chunks after the middleware has returned and closed the scope.
    workspace = request.member.workspace
    with in_workspace(workspace), reading_as(lambda: _presence(request)), speaking_to(request.user, workspace):
        yield from chunks
