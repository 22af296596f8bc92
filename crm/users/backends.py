"""Loading of the signed-in user: once per request, with all data for the page frame."""

from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef

from crm.users.models import User


class MemberBackend(AuthenticationBackend):
    """Signs in like allauth; loads user, membership, workspace and team in one statement."""

    def get_user(self, user_id):
        """Return the active user with that primary key, or None; `has_mfa` is whether they use 2FA."""
        factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
        user = (
            User.objects.select_related("membership__workspace", "membership__team")
            .annotate(has_mfa=Exists(factors))
            .filter(pk=user_id)
            .first()
        )
        if user is None or not self.user_can_authenticate(user):
            return None
        if user.membership:
            user.membership.user = user
        return user
