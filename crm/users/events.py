"""Events of members, teams and workspaces, all security-related."""

from audit.subjects import register
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("workspace", "users.Workspace")
register("member", "users.Membership")
register("team", "users.Team")
register("invitation", "users.Invitation")
register("user", "users.User")
register("identity_provider", "users.IdentityProvider")


def _security(name: str, action: str, label: str, sentence: str, severity: str = "info") -> EventType:
    return EventType(name, action, label, sentence, icon="shield", severity=severity, category="security")


declare(
    _security("workspace.created", "CREATE", _("Workspace created"), _("{who} created the workspace")),
    _security("workspace.updated", "UPDATE", _("Workspace changed"), _("{who} changed the workspace")),
    _security("member.added", "CREATE", _("User added"), _("{who} added a user to the workspace")),
    _security("member.role_changed", "UPDATE", _("Role changed"), _("{who} changed a role")),
    _security("member.team_changed", "UPDATE", _("Team changed"), _("{who} changed the team of a user")),
    _security("member.deactivated", "UPDATE", _("User deactivated"), _("{who} deactivated a user")),
    _security("member.reactivated", "UPDATE", _("User reactivated"), _("{who} reactivated a user")),
    _security("team.created", "CREATE", _("Team created"), _("{who} created a team")),
    _security("team.renamed", "UPDATE", _("Team renamed"), _("{who} renamed a team")),
    _security("team.archived", "ARCHIVE", _("Team archived"), _("{who} archived a team")),
    _security("team.restored", "RESTORE", _("Team restored"), _("{who} restored a team")),
    _security("invitation.sent", "CREATE", _("Invitation sent"), _("{who} sent an invitation")),
    _security("invitation.accepted", "UPDATE", _("Invitation accepted"), _("{who} accepted an invitation")),
    _security("invitation.withdrawn", "DELETE", _("Invitation revoked"), _("{who} revoked an invitation")),
    _security("member.denied", "DENY", _("Access denied"), _("{who} was denied access"), "warning"),
    _security("user.updated", "UPDATE", _("Profile changed"), _("{who} changed their profile")),
    _security("user.signed_in", "SIGN_IN", _("Signed in"), _("{who} signed in")),
    _security("user.sign_in_failed", "SIGN_IN", _("Sign-in failed"), _("{who} failed to sign in"), "warning"),
    _security("user.password_changed", "UPDATE", _("Password changed"), _("{who} changed their password")),
    _security("user.email_changed", "UPDATE", _("Email address changed"), _("{who} changed their email address")),
    _security("user.account_linked", "UPDATE", _("Sign-in account linked"), _("{who} linked a sign-in account")),
    _security("user.account_unlinked", "UPDATE", _("Sign-in account unlinked"), _("{who} unlinked a sign-in account")),
    _security("identity_provider.created", "CREATE", _("Sign-in set up"), _("{who} set up the sign-in provider")),
    _security("identity_provider.updated", "UPDATE", _("Sign-in changed"), _("{who} changed the sign-in provider")),
    _security("user.factor_added", "UPDATE", _("2FA method added"), _("{who} added a 2FA method")),
    _security("user.factor_removed", "UPDATE", _("2FA method removed"), _("{who} removed a 2FA method")),
    _security("user.factor_reset", "UPDATE", _("Recovery codes created"), _("{who} created new recovery codes")),
)
