"""The page that archives a team."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from crm.kit.errors import InUse, Invalid
from crm.kit.responses import show_errors, toast
from crm.kit.timelimit import long_request
from crm.kit.translation import gettext as _
from crm.records.forms import ArchiveTeamForm
from crm.records.registry import RECORD_TYPES
from crm.records.verbs.archive_team import archive_team
from crm.users.http import Request
from crm.users.models import Team
from crm.users.roles import Right
from crm.users.team_uses import uses_of_team
from crm.users.views import needs


@require_http_methods(["GET", "POST"])
@needs(Right.TEAMS)
def archive_team_page(request: Request, pk: int) -> HttpResponse:
    """Ask where a team's records and members go, name what refers to it, then archive it."""
    team = get_object_or_404(Team.objects.live(), pk=pk)
    form = ArchiveTeamForm(request.POST or None, team=team)
    if form.is_valid() and _archived(request, form, team):
        return redirect("teams")
    counts = [(kind.entity.plural, kind.model.objects.filter(team=team).count()) for kind in RECORD_TYPES.values()]
    context = {
        "team": team,
        "form": form,
        "members": team.members.count(),
        "counts": [(plural, count) for plural, count in counts if count],
        "uses": uses_of_team(team),
    }
    return render(request, "records/archive_team.html", context, status=422 if form.errors else 200)


def _archived(request: Request, form: ArchiveTeamForm, team: Team) -> bool:
    try:
        with long_request():
            archive_team(team, **form.targets(), by=request.actor)
    except (Invalid, InUse) as error:
        show_errors(form, error)
        return False
    undo_url = reverse("undo", args=[request.actor.change])
    toast(request, _("Team “{name}” archived.").format(name=team), undo_url=undo_url)
    return True
