"""Pages of campaigns: list, detail, editor, sending and results."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.campaigns.audience import expected
from crm.campaigns.forms import CampaignForm, initial
from crm.campaigns.listing import NOTHING, figures, page_of_campaigns, page_of_people, people_of
from crm.campaigns.models import Campaign, CampaignPerson
from crm.campaigns.segments import Segment, segment_of
from crm.campaigns.verbs.cancel_campaign import cancel_campaign
from crm.campaigns.verbs.retry_campaign import retry_campaign
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.campaigns.verbs.try_campaign import try_campaign
from crm.entities.uses import why_unreadable
from crm.kit import formats
from crm.kit.errors import Invalid, Refused
from crm.kit.responses import show_errors, toast, warn
from crm.kit.timelimit import TooSlow, long_request, time_limit
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.records.panels import panels
from crm.users.http import Request
from crm.users.roles import Right, may
from crm.users.views import needs


def _find(public_id: str) -> Campaign:
    campaign = Campaign.objects.select_related("owner__user").filter(public_id=public_id).first()
    if campaign is None:
        raise Http404
    return campaign


def _segment(campaign: Campaign) -> Segment | None:
    try:
        return segment_of(campaign.segment) if campaign.segment else None
    except Refused:
        return None


@require_GET
def campaigns(request: Request) -> HttpResponse:
    shown, cursor = page_of_campaigns(request.actor, request.GET.get("before", ""))
    context = {"rows": shown, "cursor": cursor, "may_send": may(request.actor, Right.CAMPAIGNS)}
    return render(request, "campaigns/list.html", context)


@require_GET
def campaign(request: Request, public_id: str) -> HttpResponse:
    """Show one campaign: message, recipients by state, and results."""
    found, by = _find(public_id), request.actor
    state = request.GET.get("state", "")
    if state and state not in CampaignPerson.State.values:
        raise Http404
    counts = figures([found.pk], by).get(found.pk, NOTHING)
    people, cursor = page_of_people(people_of(found, by, state), request.GET.get("after", ""))
    context = {
        "campaign": found,
        "segment": _segment(found),
        "counts": counts,
        "tabs": [
            ("", _("All"), counts["people"]),
            *((s.value, s.label, counts[s.value]) for s in CampaignPerson.State),
        ],
        "state": state,
        "people": people,
        "cursor": cursor,
        "panels": panels("campaign", found, request),
        "problem": why_unreadable("campaign", found.pk),
        "may_send": may(by, Right.CAMPAIGNS),
        "may_retry": counts["failed"] and found.status in (Campaign.Status.SENDING, Campaign.Status.SENT),
    }
    return render(request, "campaigns/campaign.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.CAMPAIGNS)
def edit(request: Request, public_id: str = "") -> HttpResponse:
    """Create a campaign, or edit a draft."""
    found = _find(public_id) if public_id else None
    form = CampaignForm(request.POST or None, initial=initial(found, request.member))
    if form.is_valid():
        try:
            saved = save_campaign(found, form.cleaned_data, by=request.actor)
        except Invalid as error:
            show_errors(form, error)
        else:
            toast(request, _("“{campaign}” saved. Nothing has been sent.").format(campaign=saved))
            return redirect(saved)
    context = {"form": form, "campaign": found}
    return render(request, "campaigns/edit.html", context, status=422 if form.errors else 200)


@require_POST
@needs(Right.CAMPAIGNS)
def send_test(request: Request, public_id: str) -> HttpResponse:
    found = _find(public_id)
    try:
        try_campaign(found, by=request.actor)
    except Refused as error:
        warn(request, str(error))
    else:
        toast(request, _("Test email sent to {email}.").format(email=request.user.email))
    return redirect(found)


@require_http_methods(["GET", "POST"])
@needs(Right.CAMPAIGNS)
def confirm_send(request: Request, public_id: str) -> HttpResponse:
    """Confirm with the numbers of recipients and excluded contacts, by reason; then send to exactly that many."""
    found = _find(public_id)
    context: dict[str, Any] = {"campaign": found, "segment": _segment(found)}
    try:
        with time_limit():
            context["count"], context["reasons"] = expected(found, request.actor)
    except (Refused, TooSlow) as error:
        context["problem"] = str(error)
    if request.method == "POST":
        if "problem" in context or request.POST.get("confirmed") == str(context["count"]):
            return _sent(request, found)
        context["confirmed"] = request.POST.get("confirmed", "")
    return render(request, "campaigns/send.html", context)


def _sent(request: Request, found: Campaign) -> HttpResponse:
    try:
        with long_request():
            send_campaign(found, by=request.actor)
    except Refused as error:
        warn(request, _("Nothing was sent. {problem}").format(problem=error))
    else:
        toast(request, _("“{campaign}” is being sent.").format(campaign=found))
    return redirect(found)


@require_POST
@needs(Right.CAMPAIGNS)
def cancel(request: Request, public_id: str) -> HttpResponse:
    found = _find(public_id)
    try:
        spared = cancel_campaign(found, by=request.actor)
    except Refused as error:
        warn(request, str(error))
    else:
        toast(request, _canceled(spared))
    return redirect(found)


def _canceled(spared: int) -> str:
    if not spared:
        return _("Campaign canceled.")
    sentence = ngettext(
        "Campaign canceled. {count} contact wasn’t emailed.",
        "Campaign canceled. {count} contacts weren’t emailed.",
        spared,
    )
    return sentence.format(count=formats.number(spared))


@require_POST
@needs(Right.CAMPAIGNS)
def retry(request: Request, public_id: str) -> HttpResponse:
    """Resend the campaign's failed emails."""
    found = _find(public_id)
    try:
        again = retry_campaign(found, by=request.actor)
    except Refused as error:
        warn(request, str(error))
    else:
        sentence = ngettext("Retrying {count} email.", "Retrying {count} emails.", again)
        toast(request, sentence.format(count=formats.number(again)))
    return redirect(found)
