"""The settings page of how members sign in: the provider, who joins by domain, and whether passwords are off."""

import re
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from requests import RequestException

from crm.kit.actor import Role
from crm.kit.errors import Invalid
from crm.kit.responses import show_errors, toast
from crm.kit.scope import workspace
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.http import Request
from crm.users.limits import limited
from crm.users.models import IdentityProvider, Team
from crm.users.oidc.issuers import Issuer, installation, public_id_of
from crm.users.oidc.protocol import WELL_KNOWN, SignInFailed, discover
from crm.users.oidc.transport import session
from crm.users.roles import Right
from crm.users.verbs.save_identity_provider import save_identity_provider
from crm.users.views import needs
from crm.users.workspaces import emergency_admin

OFF, SHARED, OWN = "off", "installation", "own"
JOIN_ROLES = [("", _("Need an invitation")), *((str(role), role.label) for role in Role if role != Role.ADMIN)]


class SignInForm(forms.Form):
    """What admins say about sign-in."""

    source = forms.ChoiceField(label=_("Members sign in with"), widget=forms.RadioSelect)
    name = forms.CharField(
        label=_("Name"), max_length=40, required=False, help_text=_("Shown on the sign-in button, e.g. Google.")
    )
    issuer = forms.CharField(
        label=_("Issuer address"),
        max_length=300,
        required=False,
        help_text=_(
            "Google: https://accounts.google.com. Microsoft: https://login.microsoftonline.com/your-tenant-id/v2.0."
        ),
    )
    client_id = forms.CharField(label=_("Client ID"), max_length=190, required=False)
    secret = forms.CharField(
        label=_("Client secret"),
        max_length=500,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    domains = forms.CharField(
        label=_("Your email domains"),
        max_length=2_000,
        required=False,
        help_text=_("E.g. example.com, example.org. Members with an address there can sign in without linking first."),
    )
    join_role = forms.ChoiceField(
        label=_("New people from your domains"),
        choices=JOIN_ROLES,
        required=False,
        help_text=_("They need an invitation, or join with this role at their first sign-in."),
    )
    join_team: forms.ModelChoiceField = forms.ModelChoiceField(
        label=_("Team of people who join"), queryset=None, required=False, empty_label=_("No team")
    )
    require_provider = forms.BooleanField(
        label=_("Turn passwords off"),
        required=False,
        help_text=_("Members can open this workspace only with the provider. Test the sign-in first."),
    )

    def __init__(self, *args: Any, row: IdentityProvider | None, require_provider: bool, **kwargs: Any):
        super().__init__(*args, **kwargs)
        shared = installation()
        offered = [
            (OFF, _("Email and password")),
            *([(SHARED, shared.name)] if shared else []),
            (OWN, _("Own provider")),
        ]
        self.fields["source"].choices = offered  # type: ignore[attr-defined]
        self.fields["join_team"].queryset = Team.objects.live().order_by("name")  # type: ignore[attr-defined]
        self.initial = {"source": OFF, "require_provider": require_provider}
        if row:
            self.initial |= {key: getattr(row, key) for key in ("name", "issuer", "client_id", "join_role")}
            self.initial |= {"join_team": row.join_team_id, "domains": ", ".join(row.domains)}
            self.initial["source"] = (OWN if row.issuer else SHARED) if row.is_on else OFF
        if row and row.secret:
            self.fields["secret"].help_text = gettext("Leave it blank to keep the stored secret.")

    def clean_issuer(self) -> str:
        """Return the address of the issuer, of which many providers show the configuration's."""
        return self.cleaned_data["issuer"].strip().removesuffix(WELL_KNOWN)

    def clean(self) -> dict[str, Any]:
        """Refuse an own provider without an address, which would mean the installation's."""
        if self.cleaned_data.get("source") == OWN and not self.cleaned_data.get("issuer"):
            self.add_error("issuer", gettext("Enter the issuer address."))
        return self.cleaned_data

    def settings(self) -> dict[str, Any]:
        """Return the arguments of the verb."""
        data = dict(self.cleaned_data)
        source = data.pop("source")
        data["domains"] = [part for part in re.split(r"[\s,;]+", data["domains"]) if part]
        return data | {"is_on": source != OFF} | ({"issuer": ""} if source == SHARED else {})

    def issuer_to_test(self) -> Issuer | None:
        """Return the issuer as entered, saved or not; None without one."""
        if self.cleaned_data["source"] == SHARED:
            return installation()
        name, address = self.cleaned_data["name"], self.cleaned_data["issuer"]
        return Issuer("", name, address, "", "", workspace=workspace())


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
@limited("provider_test", applies=lambda request: "test" in request.POST)
def sign_in_settings(request: Request) -> HttpResponse:
    """Show and change how members sign in, and test the connection to the issuer as entered."""
    space, row = request.member.workspace, IdentityProvider.objects.first()
    form, tested = SignInForm(request.POST or None, row=row, require_provider=space.require_provider), None
    if form.is_valid() and "test" in request.POST:
        tested = _test(form.issuer_to_test())
    elif form.is_valid() and _saved(request, form):
        toast(request, gettext("Sign-in settings saved."))
        return redirect("sign_in_settings")
    own = public_id_of(space) if row is None else row.public_id
    context = {
        "form": form,
        "tested": tested,
        "redirect_uri": request.build_absolute_uri(reverse("openid_connect_callback", args=[own])),
        "address": request.build_absolute_uri(reverse("openid_connect_login", args=[own])),
        "has_own": bool(row and row.is_on and row.issuer),
        "keeper": emergency_admin(space.pk),
    }
    return render(request, "users/sign_in_settings.html", context, status=422 if form.errors else 200)


def _saved(request: Request, form: SignInForm) -> bool:
    try:
        save_identity_provider(**form.settings(), by=request.actor)
    except Invalid as error:
        show_errors(form, error)
        return False
    return True


def _test(issuer: Issuer | None) -> tuple[bool, str]:
    """Return whether the issuer's configuration can be read, and a sentence about it."""
    if issuer is None or not issuer.address:
        return False, gettext("Enter the issuer address.")
    try:
        discover(session(trusted=issuer.trusted), issuer)
    except SignInFailed as error:
        return False, str(error)
    except RequestException as error:
        return False, gettext("Couldn’t read the configuration of {issuer}. {reason}").format(
            issuer=issuer.address, reason=error
        )
    return True, gettext("{issuer} can be reached, and its configuration is valid.").format(issuer=issuer.address)
