"""A campaign's audience, and who is excluded."""

from collections import Counter

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When

from contacts.models import Contact
from contacts.suppression import suppressed_status
from crm.campaigns.models import Campaign, CampaignPerson
from crm.campaigns.segments import segment_of
from crm.conditions.compile import Viewer
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _


def annotate_exclusions(contacts: QuerySet) -> QuerySet:
    """Annotate contacts with `why_not`: why each is excluded, '' for recipients.

    The only rule, checked at start and again before each email.
    """
    why_not = Case(
        When(deleted_at__isnull=False, then=Value(_("In the trash"))),
        When(email="", then=Value(_("No email address"))),
        When(Q(status="unsubscribed") | Q(shown="unsubscribed"), then=Value(_("Unsubscribed"))),
        When(Q(status="bounced") | Q(shown="bounced"), then=Value(_("Bounced"))),
        When(marketing_consent="", then=Value(_("No marketing consent"))),
        default=Value(""),
        output_field=CharField(),
    )
    return contacts.annotate(shown=suppressed_status(), why_not=why_not)


def audience(campaign: Campaign, by: Actor) -> QuerySet:
    """Return the contacts of the segment and those added, as far as visible to `by`, annotated with `why_not`.

    Raises Refused for a deleted segment.
    """
    added = CampaignPerson.objects.filter(campaign=campaign, contact=OuterRef("pk"))
    wanted = Q(Exists(added))
    if campaign.segment:
        condition = segment_of(campaign.segment).condition
        wanted |= Q(pk__in=Contact.objects.filter(condition.expression(Viewer.looking(by), clock.now())).values("pk"))
    return annotate_exclusions(Contact.objects.live().visible_to(by).filter(wanted))


def expected(campaign: Campaign, by: Actor) -> tuple[int, dict[str, int]]:
    """Return the number of recipients now, and of excluded contacts by reason. Raises Refused."""
    reasons: Counter[str] = Counter(audience(campaign, by).values_list("why_not", flat=True).order_by())
    return reasons.pop("", 0), dict(sorted(reasons.items()))


def recorded(campaign: Campaign, contacts: QuerySet, by: Actor) -> dict:
    """Return an audience's columns of CampaignPerson, for insert_select()."""
    gets_it = When(why_not="", then=Value(CampaignPerson.State.WAITING.value))
    state = Case(gets_it, default=Value(CampaignPerson.State.LEFT_OUT.value), output_field=CharField())
    facts = {"workspace_id": by.workspace_id, "campaign_id": campaign.pk, "contact_id": F("pk"), "state": state}
    return facts | {"reason": F("why_not"), "attempts": 0, "sent_at": None}
