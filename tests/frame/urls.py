"""The product's addresses and a few that only tests need."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path

from crm.kit.errors import Conflict, Invalid, NotAllowed, Refused
from crm.urls import handler400, handler403, handler404, handler429, handler500, urlpatterns  # noqa: F401

ERRORS = {
    "refused": Refused("Email required for qualification"),
    "invalid": Invalid({"name": "A name is needed."}),
    "not-allowed": NotAllowed("Only admins may do this."),
    "conflict": Conflict({"name": ("Ann", "Anna")}),
}


def gallery(request, name):
    """A page of tests/frame/templates/gallery."""
    return render(request, f"gallery/{name}.html")


def broken(request):
    raise RuntimeError("the password is hunter2")


def refusing(request, kind):
    raise ERRORS[kind]


def telling(request):
    messages.success(request, "Three people assigned.", extra_tags="/undo/1")
    return HttpResponse("<p>part</p>")


def moving(request):
    messages.success(request, "Saved.")
    return HttpResponseRedirect("/settings/profile/")


@login_not_required
def public(request):
    return HttpResponse("<p>for everybody</p>")


urlpatterns = [
    path("gallery/<slug:name>", gallery),
    path("broken", broken),
    path("refusing/<slug:kind>", refusing),
    path("telling", telling),
    path("moving", moving),
    path("public", public),
    *urlpatterns,
]
