"""Who is asking, in which workspace, and whether they may."""

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
from crm.users.once import AlreadySubmitted
from crm.users.sign_ins import record_denied
from crm.users.workspaces import open_membership

# Reached without a membership, and without the second factor that a workspace asks for: how else to get them.
PERSONAL = ("/accounts/", "/invitation/")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


class MemberMiddleware:
    """Puts `request.member` and `request.actor` there and opens the workspace; both None for a stranger.

    Whoever was deactivated or lost a role meets that on the next request: nothing here is kept between requests.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.member = open_membership(request.user) if request.user.is_authenticated else None
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
                response = made  # of two clicks the second came too late to be stopped
            elif response.status_code == 302 and request.actor.once:
                request.actor.once.led_to(response["Location"], request.actor.change)
            if response.status_code == 403:
                record_denied(request.actor, f"{request.method} /{_route(request)}")
        if response.streaming and not isinstance(response, FileResponse):
            response.streaming_content = _streamed_in(request, response.streaming_content)
        return response

    def process_view(self, request, view, args, kwargs):
        """Stop who has no workspace open, or not the one that their form was made in."""
        if not request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        if request.path.startswith(PERSONAL):
            return None
        if request.member is None:
            return None if _is_operator(request) else render(request, "users/no_workspace.html", status=403)
        if request.member.workspace.require_mfa and not request.user.has_mfa:
            sentence = _("{workspace} requires two-factor authentication. Set it up to continue.")
            messages.warning(request, sentence.format(workspace=request.member.workspace))
            return redirect("mfa_index")
        return _wrong_workspace(request) or _submitted_before(request)

    def process_exception(self, request, exception):
        """Lead whoever submitted a form twice to what the first click made, also where a unique name stopped them."""
        return _made_before(request) if isinstance(exception, AlreadySubmitted | IntegrityError) else None


def _submitted_before(request):
    """The answer to a form that was submitted; of another one the actor claims the one-time key."""
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
    """The pattern rather than the path, which may hold what somebody typed."""
    return request.resolver_match.route if request.resolver_match else ""


def _is_admin_page(request) -> bool:
    return request.path.startswith("/admin/")


def _is_operator(request) -> bool:
    return request.user.is_superuser and _is_admin_page(request)


def _wrong_workspace(request):
    # The admin's own forms have a field called workspace; they never carry ours.
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
    # The server asks for the chunks after the middleware has returned, when the scope is closed again.
    workspace = request.member.workspace
    with in_workspace(workspace), reading_as(lambda: _presence(request)), speaking_to(request.user, workspace):
        yield from chunks
