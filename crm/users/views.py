"""Settings pages of members, the workspace switcher, and the invitation page."""

from functools import wraps

from allauth.account.utils import perform_login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from crm.kit.actor import Channel, Role, system
from crm.kit.errors import Invalid, Refused
from crm.kit.language import speaking_to
from crm.kit.responses import show_errors, toast
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext as _
from crm.users.forms import AcceptForm, InviteForm, MemberForm, NewTeamMemberForm, ProfileForm, TeamForm, WorkspaceForm
from crm.users.models import Invitation, Membership, Team, User, hash_token
from crm.users.oidc.issuers import issuer_of
from crm.users.roles import Right, require
from crm.users.verbs.accept_invitation import accept_invitation
from crm.users.verbs.change_role import change_role
from crm.users.verbs.change_team import change_team
from crm.users.verbs.create_team import create_team
from crm.users.verbs.deactivate_member import deactivate_member
from crm.users.verbs.edit_profile import edit_profile
from crm.users.verbs.edit_workspace import edit_workspace
from crm.users.verbs.invite import invite
from crm.users.verbs.reactivate_member import reactivate_member
from crm.users.verbs.rename_team import rename_team
from crm.users.verbs.restore_team import restore_team
from crm.users.verbs.withdraw_invitation import withdraw_invitation
from crm.users.workspaces import may_open, member_in, memberships_of, switch_workspace, workspace_of_session


def needs(right: Right):
    """Decorate a page to require `right`; others get a 403 with the reason."""

    def decorate(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            require(request.actor, right)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def settings_home(request):
    return redirect("profile")


def profile(request):
    """Edit the user's name, colors, time zone and shortcuts."""
    user = request.user
    initial = {key: getattr(user, key) for key in ("name", "theme", "language", "formats", "timezone", "shortcuts")}
    form = ProfileForm(request.POST or None, initial=initial)
    if form.is_valid() and _saved(form, lambda data: edit_profile(user, **data, by=request.actor)):
        with speaking_to(user, request.member.workspace):  # what was chosen just now
            toast(request, _("Profile saved."))
        return redirect("profile")
    return render(request, "users/profile.html", {"form": form}, status=_status(form))


@require_POST
def theme(request):
    edit_profile(request.user, theme=request.POST.get("theme", ""), by=request.actor)
    return HttpResponse(status=204) if request.htmx else redirect("profile")


def security(request):
    return render(request, "users/security.html", {"through": bool(workspace_of_session(request))})


@needs(Right.PEOPLE)
def people(request):
    return _people_page(request, InviteForm())


@require_POST
@needs(Right.PEOPLE)
def invite_person(request):
    """Invite a person, or resend an invitation; the response shows the link once."""
    form = InviteForm(request.POST)
    invited = None
    if form.is_valid():
        site = request.build_absolute_uri("/")
        invited = _saved(form, lambda data: invite(**data, site=site, by=request.actor))
    return _people_page(request, InviteForm() if invited else form, invited)


def _people_page(request, form, invited=None):
    members = Membership.objects.select_related("user", "team").order_by("-is_active", "user__name", "pk")
    invitations = Invitation.objects.filter(accepted_at__isnull=True).select_related("team").order_by("email")
    context = {"members": members, "invitations": invitations, "form": form, "invited": invited}
    return render(request, "users/people.html", context, status=_status(form))


@needs(Right.PEOPLE)
def person(request, pk):
    member = get_object_or_404(Membership.objects.select_related("user", "team"), pk=pk)
    form = MemberForm(request.POST or None, initial={"role": Role(member.role), "team": member.team_id})
    if form.is_valid() and _saved(form, lambda data: _change(member, **data, by=request.actor)):
        toast(request, _("Changes to {name} saved.").format(name=member))
        return redirect("people")
    return render(request, "users/person.html", {"member": member, "form": form}, status=_status(form))


def _change(member, *, role, team, by):
    if role != member.role:
        change_role(member, role, by=by)
    if team != member.team:
        change_team(member, team, by=by)
    return member


@require_POST
@needs(Right.PEOPLE)
def deactivate(request, pk):
    member = deactivate_member(get_object_or_404(Membership, pk=pk), by=request.actor)
    sentence = _("{name} has been deactivated.").format(name=member.user)
    toast(request, sentence, undo_url=reverse("reactivate_person", args=[pk]))
    return redirect("people")


@require_POST
@needs(Right.PEOPLE)
def reactivate(request, pk):
    member = reactivate_member(get_object_or_404(Membership, pk=pk), by=request.actor)
    toast(request, _("{name} has been reactivated.").format(name=member.user))
    return redirect("people")


@require_POST
@needs(Right.PEOPLE)
def withdraw(request, pk):
    invitation = get_object_or_404(Invitation, pk=pk)
    withdraw_invitation(invitation, by=request.actor)
    toast(request, _("Invitation to {email} revoked.").format(email=invitation.email))
    return redirect("people")


@needs(Right.TEAMS)
def teams(request):
    form = TeamForm(request.POST or None)
    if form.is_valid() and _saved(form, lambda data: create_team(**data, by=request.actor)):
        toast(request, _("Team “{name}” created.").format(name=form.cleaned_data["name"]))
        return redirect("teams")
    found = Team.objects.order_by("name")
    live = found.live().prefetch_related("members__user")
    context = {"teams": live, "archived": found.filter(archived_at__isnull=False), "form": form}
    return render(request, "users/teams.html", context, status=_status(form))


@needs(Right.TEAMS)
def team(request, pk):
    """Rename a team, and see its members."""
    team = get_object_or_404(Team.objects.live(), pk=pk)
    form = TeamForm(request.POST or None, initial={"name": team.name})
    if form.is_valid() and _saved(form, lambda data: rename_team(team, **data, by=request.actor)):
        toast(request, _("Team renamed to “{name}”.").format(name=form.cleaned_data["name"]))
        return redirect("teams")
    return _team_page(request, team, form, NewTeamMemberForm(team=team))


def _team_page(request, team, form, adding):
    members = team.members.select_related("user").order_by("-is_active", "user__name", "pk")
    context = {"team": team, "form": form, "adding": adding, "members": members}
    return render(request, "users/team.html", context, status=max(_status(form), _status(adding)))


@require_POST
@needs(Right.PEOPLE)
def add_to_team(request, pk):
    team = get_object_or_404(Team.objects.live(), pk=pk)
    adding = NewTeamMemberForm(request.POST, team=team)
    if adding.is_valid() and _saved(adding, lambda data: change_team(data["member"], team, by=request.actor)):
        toast(request, _("{name} added to {team}.").format(name=adding.cleaned_data["member"], team=team))
        return redirect("team", pk)
    return _team_page(request, team, TeamForm(initial={"name": team.name}), adding)


@require_POST
@needs(Right.PEOPLE)
def remove_from_team(request, pk, member):
    team = get_object_or_404(Team, pk=pk)
    found = change_team(get_object_or_404(Membership, pk=member, team=team), None, by=request.actor)
    toast(request, _("{name} removed from {team}.").format(name=found, team=team))
    return redirect("team", pk)


@require_POST
@needs(Right.TEAMS)
def bring_back_team(request, pk):
    found = restore_team(get_object_or_404(Team, pk=pk), by=request.actor)
    toast(request, _("Team “{name}” restored.").format(name=found))
    return redirect("team", pk)


@needs(Right.WORKSPACE)
def workspace(request):
    space = request.member.workspace
    fields = ("name", "timezone", "language", "formats", "country", "currency", "require_mfa")
    form = WorkspaceForm(request.POST or None, initial={field: getattr(space, field) for field in fields})
    if form.is_valid() and _saved(form, lambda data: edit_workspace(**data, by=request.actor)):
        toast(request, _("Workspace saved."))
        return redirect("workspace")
    return render(request, "users/workspace.html", {"form": form}, status=_status(form))


def workspaces(request):
    """Show the user's workspaces: a page, or the switcher's list."""
    template = "users/_workspaces.html" if request.htmx else "users/workspaces.html"
    return render(request, template, {"memberships": memberships_of(request.user)})


@require_POST
def open_workspace(request, slug):
    """Switch the workspace, in all of the user's browsers, or lead to the issuer that it requires."""
    through = workspace_of_session(request)
    member = member_in(request.user, slug)
    if not may_open(member, through) and (required := issuer_of(member.workspace)):
        return redirect("openid_connect_login", required.id)
    switch_workspace(request.user, slug, through)
    return redirect("/")


@never_cache
@login_not_required
def invitation(request, token):
    """Show the invitation: join with an existing account, or create one."""
    found = Invitation.objects.unscoped().filter(token_hash=hash_token(token)).select_related("workspace").first()
    if found is None or not found.is_open:
        return render(request, "users/invitation_ended.html", status=404)
    if request.user.is_authenticated:
        return _join(request, found)
    if found.workspace.require_provider:
        issuer = issuer_of(found.workspace)
        return render(request, "users/invitation_provider.html", {"invitation": found, "issuer": issuer})
    if User.objects.filter(email=found.email).exists():
        return redirect_to_login(request.path)
    return _sign_up(request, found)


def _join(request, found):
    if request.method == "POST" and request.user.email == found.email:
        _accept(found, user=request.user)
        toast(request, _("Welcome to {workspace}.").format(workspace=found.workspace))
        return redirect("/")
    return render(request, "users/invitation_join.html", {"invitation": found})


def _sign_up(request, found):
    form = AcceptForm(request.POST or None)
    if form.is_valid() and (member := _saved(form, lambda data: _accept(found, **data))):
        toast(request, _("Welcome to {workspace}.").format(workspace=found.workspace))
        return perform_login(request, member.user, redirect_url="/")
    context = {"invitation": found, "form": form, "issuer": issuer_of(found.workspace)}
    return render(request, "users/invitation_sign_up.html", context, status=_status(form))


def _accept(found, **who):
    with in_workspace(found.workspace):
        return accept_invitation(found, by=system(found.workspace_id, Channel.WEB), **who)


def _saved(form, save):
    """Return the result of `save(cleaned_data)`, or None with the verb's error in the form."""
    try:
        return save(form.cleaned_data)
    except Invalid as error:
        show_errors(form, error)
    except Refused as error:
        form.add_error(None, str(error))
    return None


def _status(form) -> int:
    return 422 if form.errors else 200
