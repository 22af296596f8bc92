"""How a signed-in person is loaded: once a request, with everything the frame needs."""

from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef

from crm.users.models import User


class MemberBackend(AuthenticationBackend):
    """Signs people in as allauth does; loads user, membership, workspace and team in one statement."""

    def get_user(self, user_id):
        """The active user with that primary key, or None; `has_mfa` says whether they have a second factor."""
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
