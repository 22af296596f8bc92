import json

from django.core.management.base import BaseCommand
from django.test import Client
from django.urls import reverse

from contacts.models import Contact
from contacts.verbs.create import create
from crm.kit.actor import Channel, Role
from crm.kit.scope import in_workspace
from crm.users.models import Membership, User, Workspace


class Command(BaseCommand):
    help = "Make a manager and contacts; print the session and the address under which each contact is lost."

    def add_arguments(self, parser):
        parser.add_argument("contacts", type=int)

    def handle(self, *args, contacts, **options):
        workspace = Workspace.objects.create(slug="acme", name="Acme")
        user = User.objects.create_user("manager@acme.example")
        with in_workspace(workspace):
            member = Membership.objects.create(user=user, role=Role.MANAGER)
            people = [{"name": f"Person {n}", "email": f"p{n}@example.com"} for n in range(contacts)]
            create(people, by=member.actor(Channel.WEB))
            paths = [reverse("contact_move", args=[c.public_id, "lose"]) for c in Contact.objects.order_by("pk")]
        client = Client()
        client.force_login(user)
        self.stdout.write(json.dumps({"session": client.cookies["sessionid"].value, "paths": paths}))
