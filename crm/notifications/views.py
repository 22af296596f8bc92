"""The bell, its page and its settings."""

from datetime import UTC, datetime, timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.entities.people import members
from crm.kit import formats
from crm.kit.responses import toast, warn
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.notifications import inbox
from crm.notifications.forms import ChannelsForm
from crm.notifications.jobs import MORNING
from crm.notifications.lines import lines
from crm.notifications.models import Notification, Preference
from crm.notifications.verbs.choose_channels import choose_channels
from crm.users.http import Request

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@require_GET
def notifications(request: Request) -> HttpResponse:
    """Show notifications: the latest ten for the bell (htmx), otherwise a page of all or unread ones."""
    by, only_unread = request.actor, request.GET.get("show") != "all" and not request.htmx
    size = inbox.LATEST if request.htmx else inbox.PAGE
    found = inbox.notification_page(by, only_unread=only_unread, before=request.GET.get("before", ""), size=size)
    context = {"lines": lines(found.rows, by), "cursor": found.cursor, "only_unread": only_unread}
    return render(request, "notifications/latest.html" if request.htmx else "notifications/page.html", context)


@require_GET
def open_notification(request: Request, public_id: str) -> HttpResponse:
    rows = Notification.objects.of(request.actor).filter(public_id=public_id)
    found = lines(list(rows.select_related("actor__user")), request.actor)
    if not found:
        raise Http404
    inbox.mark_read(rows)
    if not found[0].url:
        warn(request, found[0].note)
    return redirect(found[0].url or "notifications")


@require_POST
def read_all(request: Request) -> HttpResponse:
    moment = inbox.mark_read(Notification.objects.of(request.actor))
    if moment:
        microseconds = (moment - EPOCH) // timedelta(microseconds=1)
        toast(
            request,
            _("All notifications marked as read."),
            undo_url=reverse("notifications_unread", args=[microseconds]),
        )
    return redirect("notifications")


@require_POST
def mark_unread(request: Request, moment: int) -> HttpResponse:
    """Undo marking as read at that time (microseconds since 1970)."""
    try:
        count = inbox.mark_unread(request.actor, EPOCH + timedelta(microseconds=moment))
    except OverflowError:
        raise Http404 from None
    sentence = ngettext("{count} notification marked as unread.", "{count} notifications marked as unread.", count)
    toast(request, sentence.format(count=formats.number(count)))
    return redirect("notifications")


@require_http_methods(["GET", "POST"])
def settings(request: Request) -> HttpResponse:
    """Edit the member's preferences, and show their handle for mentions."""
    chosen = Preference.objects.filter(member=request.member).values_list("channels", flat=True).first() or {}
    form = ChannelsForm(request.POST or None, initial=chosen)
    if form.is_valid():
        choose_channels(form.cleaned_data, by=request.actor)
        toast(request, _("Notification settings saved."))
        return redirect("notification_settings")
    context = {"form": form, "handle": members().rows[request.member.pk].handle, "morning": MORNING}
    return render(request, "notifications/settings.html", context, status=422 if form.errors else 200)
