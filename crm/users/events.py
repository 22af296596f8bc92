"""What can happen to people, teams and workspaces: all of it concerns security."""

from audit.subjects import register
from crm.events.registry import EventType, declare

register("workspace", "users.Workspace")
register("member", "users.Membership")
register("team", "users.Team")
register("invitation", "users.Invitation")
register("user", "users.User")


def _security(name: str, action: str, phrase: str, severity: str = "info") -> EventType:
    return EventType(name, action, phrase, icon="shield", severity=severity, category="security")


declare(
    _security("workspace.created", "CREATE", "opened the workspace"),
    _security("workspace.updated", "UPDATE", "changed the workspace"),
    _security("member.added", "CREATE", "added somebody to the workspace"),
    _security("member.role_changed", "UPDATE", "changed a role"),
    _security("member.team_changed", "UPDATE", "changed a team"),
    _security("member.deactivated", "UPDATE", "ended somebody's access"),
    _security("member.reactivated", "UPDATE", "gave somebody access again"),
    _security("team.created", "CREATE", "made a team"),
    _security("team.renamed", "UPDATE", "renamed a team"),
    _security("invitation.sent", "CREATE", "invited somebody"),
    _security("invitation.accepted", "UPDATE", "accepted an invitation"),
    _security("invitation.withdrawn", "DELETE", "withdrew an invitation"),
    _security("member.denied", "DENY", "was refused", "warning"),
    _security("user.updated", "UPDATE", "changed their profile"),
    _security("user.signed_in", "SIGN_IN", "signed in"),
    _security("user.sign_in_failed", "SIGN_IN", "failed to sign in", "warning"),
    _security("user.password_changed", "UPDATE", "changed their password"),
    _security("user.email_changed", "UPDATE", "changed their e-mail address"),
    _security("user.factor_added", "UPDATE", "added a second factor"),
    _security("user.factor_removed", "UPDATE", "removed a second factor"),
    _security("user.factor_reset", "UPDATE", "made new recovery codes"),
)
