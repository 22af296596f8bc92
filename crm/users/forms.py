"""Forms about members. They convert input; the verbs validate."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import get_language

from crm.kit import formats
from crm.kit.actor import Role
from crm.kit.language import FORMATS, speaking
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Team, Theme

EXAMPLE = datetime(2026, 11, 28, 15, 26, tzinfo=UTC)
ROLES = [(role, role.label) for role in Role]
ROLES_HELP = _(
    "Viewers can read. Reps can edit their own and their team’s records. Managers can edit everything. Admins also "
    "manage settings."
)


def timezone_choices() -> list[tuple[str, str]]:
    """Return cities and UTC, as users search for them."""
    names = sorted(n for n in available_timezones() if "/" in n and not n.startswith(("Etc/", "SystemV/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def format_choices() -> list[tuple[str, str]]:
    """Return the locales, labeled by sample date, time and amount."""
    return [(code, _example(code)) for code in FORMATS]


def _example(code: str) -> str:
    with speaking(get_language(), code):
        return f"{formats.moment(EXAMPLE)} · {formats.number(1240.5, 2)}"


class MemberForm(forms.Form):
    """Role and team of a member."""

    role = forms.TypedChoiceField(label=_("Role"), choices=ROLES, coerce=Role, initial=Role.REP, help_text=ROLES_HELP)
    team: forms.ModelChoiceField = forms.ModelChoiceField(
        label=_("Team"), queryset=None, required=False, empty_label=_("No team")
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.live().order_by("name")


class InviteForm(MemberForm):
    """Email, role and team of an invitation."""

    email = forms.EmailField(label=_("Email"), max_length=254)
    role = forms.TypedChoiceField(label=_("Role"), choices=ROLES, coerce=Role, initial=Role.REP)
    field_order = ["email", "role", "team"]


class TeamForm(forms.Form):
    """A team's name."""

    name = forms.CharField(label=_("Name"), max_length=80)


class NewTeamMemberForm(forms.Form):
    """A member to add to a team; those of other teams move."""

    member: forms.ModelChoiceField = forms.ModelChoiceField(
        label=_("Add a member"), queryset=None, empty_label=_("Choose a member")
    )

    def __init__(self, *args, team: Team, **kwargs):
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        others = Membership.objects.active().exclude(team=team).select_related("user", "team")
        picker: Any = self.fields["member"]
        picker.queryset, picker.label_from_instance = others.order_by("user__name", "pk"), _with_team


def _with_team(member: Membership) -> str:
    return f"{member} ({member.team})" if member.team else str(member)  # not a text


class WorkspaceForm(forms.Form):
    """Workspace name, time zone, country, currency and formats."""

    name = forms.CharField(label=_("Name"), max_length=80)
    timezone = forms.ChoiceField(label=_("Time zone"), choices=timezone_choices)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    formats = forms.ChoiceField(
        label=_("Dates and numbers"),
        choices=lambda: [("", gettext("Language default")), *format_choices()],
        required=False,
    )
    country = forms.ChoiceField(
        label=_("Country"),
        choices=lambda: [("", gettext("Not set")), *formats.countries()],
        required=False,
        help_text=_("For phone numbers without a country code."),
    )
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, help_text=_("Three letters, e.g. EUR."))
    require_mfa = forms.BooleanField(
        label=_("Require two-factor authentication"),
        help_text=_("Members without 2FA must set it up at their next sign-in."),
        required=False,
    )


class ProfileForm(forms.Form):
    """A user's preferences."""

    name = forms.CharField(label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme.choices, widget=forms.RadioSelect)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=lambda: [("", gettext("Workspace default")), *settings.LANGUAGES],
        required=False,
    )
    formats = forms.ChoiceField(
        label=_("Dates and numbers"),
        choices=lambda: [("", gettext("Language default")), *format_choices()],
        required=False,
    )
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [("", gettext("Workspace default")), *timezone_choices()],
        required=False,
    )
    shortcuts = forms.BooleanField(
        label=_("Single-key shortcuts"),
        help_text=_("E.g. J, K and X. Turn these off if you use speech input or trigger them by accident."),
        required=False,
    )


class AcceptForm(forms.Form):
    """A new user's details on accepting an invitation."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters. Avoid common passwords."),
    )
