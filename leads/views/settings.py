"""Settings pages of leads: assignment and first-contact SLA."""

from collections.abc import Mapping

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from crm.conditions.parse import in_words, sentence_of
from crm.entities.uses import unreadable_by_pk, why_unreadable
from crm.kit import formats
from crm.kit.actor import Role
from crm.kit.errors import Invalid
from crm.kit.responses import show_errors, toast
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.users.http import Request
from crm.users.models import Membership
from crm.users.roles import Right
from crm.users.views import needs
from leads.assignment.models import AssignmentRule
from leads.assignment.people import in_pool
from leads.deadlines import terms
from leads.settings_forms import FirstContactForm, RuleForm
from leads.verbs.save_assignment_rule import save_assignment_rule
from leads.verbs.set_duties import set_duties
from leads.verbs.set_first_contact_terms import set_first_contact_terms


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def assignment(request: Request) -> HttpResponse:
    """Show the rules as sentences and members' availability; a POST sets the latter."""
    members = Membership.objects.active().exclude(role=Role.VIEWER).select_related("user", "team", "duty")
    members = list(members.order_by("user__name", "pk"))
    if request.method == "POST":
        pooled, away = (set(request.POST.getlist(name)) for name in ("pool", "away"))
        duties = {member.pk: (str(member.pk) in pooled, str(member.pk) in away) for member in members}
        count = set_duties(duties, by=request.actor)
        sentence = ngettext("Pool saved. {count} member changed.", "Pool saved. {count} members changed.", count)
        toast(request, sentence.format(count=formats.number(count)))
        return redirect("assignment")
    names = {member.pk: str(member) for member in members}
    broken = unreadable_by_pk("assignment_rule")
    found = AssignmentRule.objects.select_related("team")
    rules = [(rule, *_sentence(rule, names), broken.get(rule.pk, "")) for rule in found]
    return render(request, "leads/assignment.html", {"rules": rules, "people": [_duty(m) for m in members]})


def _duty(member: Membership) -> dict:
    duty = getattr(member, "duty", None)
    return {
        "member": member,
        "in_pool": in_pool(member.role, duty.in_pool if duty else None),
        "is_away": bool(duty and duty.is_away),
    }


def _sentence(rule: AssignmentRule, names: Mapping[int, str]) -> tuple[str, str, str]:
    to = [names[pk] for pk in rule.people if pk in names]
    to += [_("{team} (team)").format(team=rule.team)] if rule.team else []
    who = ", ".join(to) or _("No active users")
    is_shared = rule.team or len(to) > 1
    return sentence_of(rule.condition, "lead"), who, AssignmentRule.Method(rule.method).label if is_shared else ""


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def rule(request: Request, pk: int = 0) -> HttpResponse:
    found = get_object_or_404(AssignmentRule, pk=pk) if pk else AssignmentRule()
    names = ("name", "people", "team", "method", "position", "is_active")
    initial = {name: getattr(found, name) for name in names} | {"condition": in_words(found.condition, "lead")}
    form = RuleForm(request.POST or None, initial=initial)
    if form.is_valid():
        for name, value in form.cleaned_data.items():
            setattr(found, name, value)
        try:
            save_assignment_rule(found, by=request.actor)
        except Invalid as error:
            show_errors(form, error)
        else:
            toast(request, _("Rule “{name}” saved.").format(name=found.name))
            return redirect("assignment")
    context = {"form": form, "name": initial["name"] if pk else ""}
    context["problem"] = why_unreadable("assignment_rule", found.pk if request.method == "GET" else None)
    return render(request, "leads/assignment_rule.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def first_contact(request: Request) -> HttpResponse:
    form = FirstContactForm(request.POST or None, initial=FirstContactForm.shown(terms()))
    if form.is_valid():
        try:
            set_first_contact_terms(**form.cleaned_data, by=request.actor)
        except Invalid as error:
            show_errors(form, error)
        else:
            toast(request, _("First-contact SLA saved. It applies to new leads."))
            return redirect("first_contact")
    context = {"form": form, "zone": request.member.workspace.timezone.replace("_", " ")}
    return render(request, "leads/first_contact.html", context, status=422 if form.errors else 200)
