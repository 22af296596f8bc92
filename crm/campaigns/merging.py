"""Campaign recipients on merge: the duplicates' emails are attributed to the survivor."""

from django.db.models import Exists, OuterRef, QuerySet

from audit.record import update_and_record
from contacts.hooks import on_merge
from contacts.models import Contact
from crm.campaigns.models import CampaignPerson
from crm.kit.actor import Actor


@on_merge
def move_people(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Move recipients on merge(); undoing the merge moves them back. One per campaign becomes the survivor's."""
    theirs = CampaignPerson.objects.filter(contact__in=duplicates)
    same = CampaignPerson.objects.filter(campaign=OuterRef("campaign"))
    # Of several duplicates, the first merged one counts.
    earlier = same.filter(contact__in=duplicates, contact__lt=OuterRef("contact"))
    new = theirs.exclude(Exists(same.filter(contact=survivor.pk))).exclude(Exists(earlier))
    moved = CampaignPerson.objects.filter(pk__any_of=list(new.order_by("pk").values_list("pk", flat=True)))
    update_and_record("campaign_person.moved", moved, {"contact": survivor.pk}, by=by)
