"""The unsubscribe page. No sign-in: the email's signed link is the authorization."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from crm.campaigns.links import person_of
from crm.campaigns.verbs.resubscribe import resubscribe
from crm.campaigns.verbs.unsubscribe import unsubscribe
from crm.kit.actor import Channel, system
from crm.kit.language import speaking_in
from crm.kit.scope import in_workspace


@csrf_exempt
@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for confirmation, because mail scanners follow links; a POST, also from an email client, unsubscribes.

    The page then offers to resubscribe, which only the person and an admin can. All invalid links get the same page.
    """
    person = person_of(token)
    if person is None:
        return render(request, "campaigns/unsubscribe_unknown.html", status=404)
    again = request.POST.get("do") == "resubscribe"
    if request.method == "POST":
        space = person.workspace
        with in_workspace(space), speaking_in(space):  # the note is for the workspace's members
            (resubscribe if again else unsubscribe)(person, by=system(person.workspace_id, Channel.MAIL))
    context = {"sender": person.workspace, "done": request.method == "POST", "again": again}
    return render(request, "campaigns/unsubscribe.html", context)
