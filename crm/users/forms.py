"""Forms about people. They translate; the verbs decide what is right."""

from datetime import UTC, datetime
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import get_language

from crm.kit import formats
from crm.kit.actor import Role
from crm.kit.language import FORMATS, speaking
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Team, Theme

EXAMPLE = datetime(2026, 11, 28, 15, 26, tzinfo=UTC)
ROLES = [(role, role.title()) for role in Role]
ROLES_HELP = (
    "Viewers read, reps work on their own and their team's records, managers on all, admins also run the settings."
)


def timezone_choices() -> list[tuple[str, str]]:
    """Cities and UTC, as a person looks for them."""
    names = sorted(n for n in available_timezones() if "/" in n and not n.startswith(("Etc/", "SystemV/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def format_choices() -> list[tuple[str, str]]:
    """Each locale by what a date, a time and an amount look like."""
    return [(code, _example(code)) for code in FORMATS]


def _example(code: str) -> str:
    with speaking(get_language(), code):
        return f"{formats.moment(EXAMPLE)} · {formats.number(1240.5, 2)}"


class MemberForm(forms.Form):
    """Role and team of a member."""

    role = forms.TypedChoiceField(choices=ROLES, coerce=Role, initial=Role.REP, help_text=ROLES_HELP)
    team: forms.ModelChoiceField = forms.ModelChoiceField(queryset=None, required=False, empty_label="No team")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.order_by("name")


class InviteForm(MemberForm):
    """Whom to invite, as what."""

    email = forms.EmailField(label="E-mail", max_length=254)
    role = forms.TypedChoiceField(choices=ROLES, coerce=Role, initial=Role.REP)
    field_order = ["email", "role", "team"]


class TeamForm(forms.Form):
    """A team's name."""

    name = forms.CharField(max_length=80)


class WorkspaceForm(forms.Form):
    """What the workspace is called and how it counts."""

    name = forms.CharField(max_length=80)
    timezone = forms.ChoiceField(label="Time zone", choices=timezone_choices)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    formats = forms.ChoiceField(
        label=_("Dates and numbers"),
        choices=lambda: [("", gettext("As usual in the language")), *format_choices()],
        required=False,
    )
    currency = forms.CharField(min_length=3, max_length=3, help_text="Three letters, like EUR.")
    require_mfa = forms.BooleanField(
        label="Everybody needs a second factor",
        help_text="Who has none is asked to add one before anything else.",
        required=False,
    )


class ProfileForm(forms.Form):
    """How the product meets a person."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    theme = forms.ChoiceField(choices=Theme.choices, widget=forms.RadioSelect)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=lambda: [("", gettext("Same as the workspace")), *settings.LANGUAGES],
        required=False,
    )
    formats = forms.ChoiceField(
        label=_("Dates and numbers"),
        choices=lambda: [("", gettext("As usual in the language")), *format_choices()],
        required=False,
    )
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [("", gettext("Same as the workspace")), *timezone_choices()],
        required=False,
    )
    shortcuts = forms.BooleanField(
        label="Single-key shortcuts",
        help_text="Such as j, k and x. Switch them off if you dictate, or hit keys without meaning to.",
        required=False,
    )


class AcceptForm(forms.Form):
    """What a new person adds to an invitation."""

    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters, and none of the usual ones.",
    )
