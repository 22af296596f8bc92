"""manage.py remove_second_factors EMAIL"""

from allauth.mfa.models import Authenticator
from django.core.management.base import CommandError
from django.db import transaction

from crm.kit.command import TranslatedCommand
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import User
from crm.users.sign_ins import record_second_factor_removed


class Command(TranslatedCommand):
    help = _(
        "Remove all two-factor methods of a user who lost them, or whose methods were stored under another SECRET_KEY. "
        "The user signs in with the password and sets up 2FA again. Verify who is asking first."
    )

    def add_arguments(self, parser):
        parser.add_argument("email", help=gettext("the email address that the user signs in with"))

    @transaction.atomic
    def handle(self, *args, email, **options):
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(gettext("No account for {email}.").format(email=email))
        factors = Authenticator.objects.filter(user=user)
        kinds = sorted(factors.values_list("type", flat=True))
        factors.delete()
        for kind in kinds:
            record_second_factor_removed(user, kind)
        sentence = ngettext(
            "{count} two-factor method of {email} removed.",
            "{count} two-factor methods of {email} removed.",
            len(kinds),
        )
        self.stdout.write(sentence.format(count=len(kinds), email=user.email))
