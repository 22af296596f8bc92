"""The product's URLs, plus some for tests."""

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


PEOPLE = [
    ("Ana Ruiz", "blue", "Qualified", 71.2, "Qualified", "Fleetly", "Mara Lindt", "Demo on Thursday", "2 h ago"),
    ("Tomás Ortega", "amber", "Lead", 62.4, "Working", "Ruta Norte", "Mara Lindt", "Send pricing", "5 h ago"),
    ("Lina Kamal", "amber", "Lead", 59.2, "New · 2 h left", "Desert Cabs", "—", "First contact", "1 d ago"),
    (
        "Jonas Berg",
        "blue",
        "Qualified",
        57.0,
        "Qualified",
        "Nordic Haul",
        "Idris Cole",
        "Call about renewal",
        "1 d ago",
    ),
    ("Priya Shah", "amber", "Lead", 51.6, "Working", "Metro Shuttle", "Mara Lindt", "Meeting 24 Nov", "2 d ago"),
    ("Farid Mansour", "green", "Customer", 46.0, "Converted", "Gulf Limo", "Idris Cole", "—", "3 d ago"),
    ("Clara Wendt", "red", "Lost", 35.4, "Lost", "Hansa Taxi", "Mara Lindt", "First contact", "3 d ago"),
    ("Dele Nwosu", "violet", "Partner", 25.2, "Working", "Lagos Rides", "Idris Cole", "Nurture mail 3", "8 d ago"),
    ("Emma Hall", "grey", "Churned", 18.0, "New · 21 h left", "Cityhop", "—", "First contact", "9 d ago"),
]
STUCK = [
    ("Qualified · no problem confirmed in 30 days", 100, 118),
    ("Qualified · score fell under 70", 53, 63),
    ("Opportunity · no next step", 41, 48),
    ("Lead · no e-mail", 29, 34),
]
COLUMNS = [("Prospecting", "grey", 12), ("Qualification", "blue", 7), ("Proposal", "violet", 4), ("Won", "green", 9)]


def gallery(request, name):
    return render(request, f"gallery/{name}.html", {"people": PEOPLE, "stuck": STUCK, "columns": COLUMNS})


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
