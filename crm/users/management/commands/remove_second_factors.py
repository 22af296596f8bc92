"""manage.py remove_second_factors EMAIL"""

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from crm.users.models import User
from crm.users.sign_ins import record_second_factor_removed


class Command(BaseCommand):
    help = (
        "Remove every second factor of a person who has lost them, or whose factors were stored under another "
        "SECRET_KEY. They sign in with their password and add new ones. Make sure who asks for it."
    )

    def add_arguments(self, parser):
        parser.add_argument("email", help="the address that the person signs in with")

    @transaction.atomic
    def handle(self, *args, email, **options):
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(f"There is no account for {email}.")
        factors = Authenticator.objects.filter(user=user)
        kinds = sorted(factors.values_list("type", flat=True))
        factors.delete()
        for kind in kinds:
            record_second_factor_removed(user, kind)
        self.stdout.write(f"Removed {len(kinds)} second factors of {user.email}.")
