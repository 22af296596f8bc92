"""Exceptions about contacts."""

from django.db.models import Exists, F, OuterRef, QuerySet, Value

from contacts.axes import LIFECYCLE
from contacts.models import Contact
from crm.anomalies.detect import register
from crm.anomalies.kinds import AnomalyKind
from crm.anomalies.last_transition import moved, moved_at, moved_how
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.models import Transition

PAST = ("lost", "churned")  # no owner needed


def unowned() -> QuerySet[Contact]:
    """Return unassigned contacts (DESIGN 1.1: an owner is always set if one can be found)."""
    return Contact.objects.live().filter(owner__isnull=True).exclude(lifecycle_stage__in=PAST)


def contacts_lost_unexplained() -> QuerySet[Contact]:
    """Return contacts marked as lost without a reason, except those created or imported as lost."""
    why = Transition.objects.filter(entity="contact", axis=LIFECYCLE.field, record_id=OuterRef("pk"), to_value="lost")
    why = why.filter(at__gte=OuterRef("lifecycle_stage_since"), reason="", undone_by__isnull=True).exclude(
        from_value=""
    )
    return Contact.objects.live().filter(Exists(why), lifecycle_stage="lost")


def _edit_owner(contact: Contact) -> str:
    return f"{contact.get_absolute_url()}/field/owner"


ANOMALIES = (
    AnomalyKind(
        name="contact_unowned",
        label=_("Contact without an owner"),
        entity="contact",
        rows=unowned,
        since=lambda: F("created_at"),
        evidence=lambda: Value(gettext("No owner")),
        help=_("Assign owner"),
        url=_edit_owner,
        looked_at={"contact.assigned": "", "contact.reopened": ""},
    ),
    AnomalyKind(
        name="contact_lost_unexplained",
        label=_("Contact lost without a reason"),
        entity="contact",
        rows=contacts_lost_unexplained,
        since=lambda: F("lifecycle_stage_since"),
        evidence=lambda: Value(gettext("No lost reason given")),
        help=_("View contact"),
        url=Contact.get_absolute_url,
        looked_at={"contact.lost": "", "contact.reopened": ""},
    ),
    AnomalyKind(
        name="contact_overridden",
        label=_("Stage overridden"),
        entity="contact",
        rows=moved(LIFECYCLE, "override"),
        since=moved_at(LIFECYCLE, "override"),
        evidence=moved_how(LIFECYCLE, "override"),
        help=_("View contact"),
        url=Contact.get_absolute_url,
        looked_at={"contact.overridden": "", "contact.undone": ""},
    ),
)

for kind in ANOMALIES:
    register(kind)
