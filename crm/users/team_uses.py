"""Settings that refer to a team, which therefore can't be archived. Upper apps add theirs."""

from collections.abc import Callable, Iterable, Iterator

from django.urls import reverse

from crm.kit.registry import Hook
from crm.kit.translation import gettext as _
from crm.users.models import IdentityProvider, Invitation, Team

Use = tuple[str, str]  # label and URL, as in InUse
# Lists the settings that refer to a team: called with (team).
on_team_use: Hook[Callable[[Team], Iterable[Use]]] = Hook()


def uses_of_team(team: Team) -> list[Use]:
    """Return the settings of the workspace in scope that refer to the team."""
    return [use for lister in on_team_use for use in lister(team)]


@on_team_use
def _invitations(team: Team) -> Iterator[Use]:
    for invitation in Invitation.objects.filter(team=team, accepted_at__isnull=True):
        yield _("Invitation to {email}").format(email=invitation.email), reverse("people")


@on_team_use
def _sign_in(team: Team) -> Iterator[Use]:
    if IdentityProvider.objects.filter(join_team=team).exists():
        yield _("Sign-in"), reverse("sign_in_settings")
