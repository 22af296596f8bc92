"""A workspace with members, teams and a custom field of every type."""

from dataclasses import dataclass, field

from crm.entities.models import CustomField
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit.actor import Channel, Role, system
from crm.users.models import Membership, Team, User, Workspace

CHOICES = [{"value": "north_east", "label": "North East"}, {"value": "south", "label": "South"}]
CUSTOM = {
    "motto": ("text", "Motto of the firm", {}),
    "rating": ("number", "Rating", {}),
    "renewal": ("date", "Renewal date", {}),
    "vip": ("yes_no", "VIP", {}),
    "region": ("select", "Region", {"choices": CHOICES}),
    "tags": ("multi_select", "Tags", {"choices": [*CHOICES, {"value": "hot", "label": "Hot, hot"}]}),
    "buddy": ("user", "Buddy", {}),
    "partner_firm": ("link", "Partner firm", {"target": "firm"}),
}


@dataclass
class Cast:
    workspace: Workspace
    members: list[Membership] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)


def make_workspace(slug="acme", timezone="UTC"):
    return Workspace.objects.create(slug=slug, name=slug.title(), timezone=timezone)


def add_people(workspace):
    """Add Ann and Bo in North, and two people called Cy, to the caller's workspace."""
    cast = Cast(workspace)
    cast.teams = [Team.objects.create(name="North"), Team.objects.create(name="My team")]
    for name, email in (("Ann Ruiz", "ann"), ("Bo", "bo"), ("Cy", "cy1"), ("Cy", "cy2"), ("", "anonymous")):
        user = User.objects.create(email=f"{email}@{workspace.slug}.example", name=name)
        cast.members.append(Membership.objects.create(user=user, role=Role.REP, team=cast.teams[0]))
    return cast


def add_custom_fields(workspace, entity="person"):
    for key, (type_, label, extra) in CUSTOM.items():
        made = CustomField(entity=entity, key=key, label=label, type=type_, **extra)
        save_custom_field(made, by=system(workspace.pk, Channel.ADMIN))
