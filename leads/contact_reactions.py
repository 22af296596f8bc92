"""Reactions of leads to their contacts: losses, first contacts, owner changes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from django.db.models import F, Q, QuerySet

from audit.models import Entry
from audit.record import update_and_record
from contacts.activities.conversations import (
    activities_with_changed_conversation,
    addressed,
    conversation_times,
    two_way_activities,
)
from contacts.activities.participants import activities_of
from contacts.models import Activity, Contact, Participant
from crm.events.reactions import reacts_to
from crm.kit.actor import Actor
from crm.lifecycle.dated_moves import DatedMove, move_rows
from crm.lifecycle.models import Transition
from leads.axes import STATUS
from leads.models import Lead

EVER = datetime(1, 1, 1, tzinfo=UTC)


@reacts_to("contact.lost")
def lose_with_contacts(contacts: QuerySet, by: Actor) -> None:
    """React to lost contacts: lose their open leads at the same time, with the same reason (DESIGN 1.1)."""
    leads = Lead.objects.open().filter(contact__in=contacts.order_by().values("pk")).order_by("pk")
    held = list(leads.select_related("contact").select_for_update(of=("self",)))
    why = Transition.objects.filter(
        entity="contact", axis="lifecycle_stage", to_value="lost", change__unindexed=by.change
    )
    reasons = dict(why.filter(record_id__any_of=[lead.contact_id for lead in held]).values_list("record_id", "reason"))
    groups: defaultdict[str, list[DatedMove]] = defaultdict(list)
    for lead in held:
        reason, at = reasons.get(lead.contact_id, ""), lead.contact.lifecycle_stage_since
        groups[reason].append(DatedMove(lead, "lost", at, {"lost_date": at, "lost_reason": reason.strip()}))
    for reason, moved in groups.items():
        move_rows(STATUS, moved, verb="lose", event="lead.lost", by=by, reason=reason)


@reacts_to("activity.logged", "activity.completed", "activity.restored")
def contact_leads(activities: QuerySet, by: Actor) -> None:
    """React to logged, completed or changed activities: a conversation is a lead's first contact.

    A lead at New moves to Working; one that its score has moved on keeps its status. Conversations before the lead's
    cycle don't count.
    """
    owed = Lead.objects.open().filter(contacted_at__isnull=True)
    theirs = Participant.objects.live().filter(contact__leads__in=owed, activity__in=activities.order_by().values("pk"))
    said: defaultdict[int, list[datetime]] = defaultdict(list)
    concerning = Q(contact__leads__in=owed) | Q(pk__in=theirs.values("activity"))
    for conversation in two_way_activities(activities.filter(concerning).distinct()):
        for contact in addressed(conversation):
            said[contact].append(conversation.moment)
    if said:
        _mark_contacted(said, by)


def _mark_contacted(said: Mapping[int, list[datetime]], by: Actor) -> None:
    """Mark the open leads of contacts as contacted at the first of the times of their conversations, in order."""
    # Before the leads, as in merging and converting. Writing an activity already holds a key-share lock on the contact,
    # so the full lock could deadlock two writers.
    list(Contact.objects.filter(pk__any_of=list(said)).order_by("pk").select_for_update(of=("self",), no_key=True))
    rows = Lead.objects.open().filter(contact__pk__any_of=list(said), contacted_at__isnull=True).order_by("pk")
    held = [(lead, at) for lead in rows.select_for_update(of=("self",)) if (at := _first(lead, said[lead.contact_id]))]
    new = [DatedMove(lead, "working", at, {"contacted_at": at}) for lead, at in held if lead.status == "new"]
    move_rows(STATUS, new, verb="first_contact", event="lead.contacted", by=by)
    further: defaultdict[datetime, list[int]] = defaultdict(list)
    for lead, at in held:
        if lead.contacted_at is None:
            further[at].append(lead.pk)
    for at, pks in further.items():
        update_and_record("lead.contacted", Lead.objects.filter(pk__any_of=pks), {"contacted_at": at}, by=by)


def _first(lead: Lead, times: Iterable[datetime]) -> datetime | None:
    """Return the first of the times in the lead's cycle, not before the lead was created."""
    return next((max(at, lead.created_at) for at in times if at >= (lead.counts_from or EVER)), None)


@reacts_to("activity.updated")
def update_leads_of_changed_activities(activities: QuerySet, by: Actor) -> None:
    """React to changed activities, e.g. a call that was connected after all."""
    changed = activities_with_changed_conversation(activities, by)
    if changed:
        contact_leads(activities.filter(pk__in=changed), by)


@reacts_to("participant.added", "participant.moved")
def contact_leads_of_participants(participants: QuerySet, by: Actor) -> None:
    """React to new participants: a conversation is a first contact with them too."""
    contact_leads(activities_of(participants), by)


@reacts_to("activity.updated", "activity.deleted")
def correct_first_contacts(activities: QuerySet, by: Actor) -> None:
    """React to changed or deleted activities: reopen a first contact that did not happen."""
    _correct(conversation_times(activities, by), by)


@reacts_to("participant.removed")
def correct_first_contacts_of_removed(participants: QuerySet, by: Actor) -> None:
    """React to removed participants: reopen a first contact in which they didn't take part."""
    times: defaultdict[int, set[datetime]] = defaultdict(set)
    for contact, at in participants.values_list("contact", "activity__occurred_at"):
        times[contact] |= {at} if at else set()
    _correct(times, by)


def _correct(moments: Mapping[int, set[datetime]], by: Actor) -> None:
    """Correct first contacts at these times, by contact.

    The lead keeps its status, which only moves forward; the first other conversation counts, if any.
    """
    rows = Lead.objects.open().filter(contact__pk__any_of=sorted(moments), contacted_at__isnull=False).order_by("pk")
    leads = rows.select_for_update(of=("self",)) if moments else ()
    wrong = [lead for lead in leads if _was_contacted_at(moments[lead.contact_id], lead)]
    said = _conversations_with({lead.contact_id for lead in wrong})
    groups: defaultdict[datetime | None, list[int]] = defaultdict(list)
    for lead in wrong:
        groups[_first(lead, said[lead.contact_id])].append(lead.pk)
    for first, pks in groups.items():
        update_and_record("lead.contacted", Lead.objects.filter(pk__any_of=pks), {"contacted_at": first}, by=by)


def _was_contacted_at(times: Iterable[datetime], lead: Lead) -> bool:
    return lead.contacted_at in {max(at, lead.created_at) for at in times}


def _conversations_with(contacts: Collection[int]) -> Mapping[int, list[datetime]]:
    """Return the times of the conversations with each contact, in order."""
    said: defaultdict[int, list[datetime]] = defaultdict(list)
    joined = Participant.objects.live().filter(contact__id__any_of=contacts)
    # Keys instead of a subquery: under OR it would read all activities of the workspace.
    keys = list(joined.values_list("activity", flat=True)) if contacts else []
    theirs = Activity.objects.filter(Q(contact__id__any_of=contacts) | Q(pk__any_of=keys))
    for conversation in two_way_activities(theirs) if contacts else ():
        for contact in addressed(conversation):
            said[contact].append(conversation.moment)
    return said


@reacts_to("contact.assigned")
def follow_owners(contacts: QuerySet, by: Actor) -> None:
    """React to assigned contacts: their leads follow in team, and open ones with the contact's old owner in owner."""
    follow_teams(contacts, by)
    leads = Lead.objects.open().filter(contact__in=contacts.order_by().values("pk")).exclude(owner=F("contact__owner"))
    behind = list(leads.order_by().values_list("pk", "contact", "owner", "contact__owner"))
    if not behind:  # e.g. contacts that got their owner from the new lead
        return
    entries = Entry.objects.filter(change__unindexed=by.change, event="contact.assigned", entity="contact")
    entries = entries.filter(entity_id__any_of=[contact for _, contact, _, _ in behind], new_values__has_key="owner")
    before = {pk: old["owner"] for pk, old in entries.values_list("entity_id", "old_values")}
    groups: defaultdict[int | None, list[int]] = defaultdict(list)
    for pk, contact, owner, new in behind:
        if contact in before and owner == before[contact]:
            groups[new].append(pk)
    for owner, pks in groups.items():
        update_and_record("lead.assigned", Lead.objects.filter(pk__any_of=pks), {"owner": owner}, by=by)


@reacts_to("contact.merged")
def follow_teams(contacts: QuerySet, by: Actor) -> None:
    """React to possible team changes of contacts: update the team of all their leads."""
    others = Lead.objects.filter(contact__in=contacts.order_by().values("pk"))
    differing = others.exclude(team=F("contact__team")).exclude(team__isnull=True, contact__team__isnull=True)
    groups: defaultdict[int | None, list[int]] = defaultdict(list)
    for pk, team in differing.order_by("pk").values_list("pk", "contact__team"):
        groups[team].append(pk)
    for team, pks in groups.items():
        update_and_record("lead.assigned", Lead.objects.filter(pk__any_of=pks), {"team": team}, by=by)
