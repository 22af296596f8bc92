"""Who a campaign is for, and who of them must not be written to."""

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
    """`contacts` with `why_not`: why each gets no campaign, '' for those who do.

    The one rule, asked when a campaign is started and again when each mail is about to leave.
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
    """The contacts of the segment and those who were added, as far as `by` sees them; each with `why_not`.

    Raises Refused for a segment that is gone.
    """
    added = CampaignPerson.objects.filter(campaign=campaign, contact=OuterRef("pk"))
    wanted = Q(Exists(added))
    if campaign.segment:
        condition = segment_of(campaign.segment).condition
        wanted |= Q(pk__in=Contact.objects.filter(condition.expression(Viewer.looking(by), clock.now())).values("pk"))
    return annotate_exclusions(Contact.objects.live().visible_to(by).filter(wanted))


def expected(campaign: Campaign, by: Actor) -> tuple[int, dict[str, int]]:
    """How many would get a campaign now, and how many not, by the reason. Raises Refused."""
    reasons: Counter[str] = Counter(audience(campaign, by).values_list("why_not", flat=True).order_by())
    return reasons.pop("", 0), dict(sorted(reasons.items()))


def recorded(campaign: Campaign, contacts: QuerySet, by: Actor) -> dict:
    """The columns of CampaignPerson for each of an audience, as insert_select() takes them."""
    gets_it = When(why_not="", then=Value(CampaignPerson.State.WAITING.value))
    state = Case(gets_it, default=Value(CampaignPerson.State.LEFT_OUT.value), output_field=CharField())
    facts = {"workspace_id": by.workspace_id, "campaign_id": campaign.pk, "contact_id": F("pk"), "state": state}
    return facts | {"reason": F("why_not"), "attempts": 0, "sent_at": None}
