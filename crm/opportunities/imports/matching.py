"""Matching of rows to opportunities: by external ID, then by contact and name; each once per file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from contacts.entities import CONTACT
from contacts.imports.matching import by_key
from contacts.models import Contact
from crm.entities.values import public_id_in
from crm.kit.actor import Actor
from crm.kit.text import email_key, search_key
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.registry import IncomingRow, Refused
from crm.lists.imports.repeats import without_repeats
from crm.lists.imports.scratch import Scratch
from crm.opportunities import pipelines
from crm.opportunities.entities import OPPORTUNITY
from crm.opportunities.models import Opportunity, StageKind
from crm.users.visibility import may_edit

NOT_YOURS = _("View only – this opportunity belongs to someone else.")
UNSEEN = _("This external ID belongs to an opportunity that you can’t see.")


@dataclass(slots=True)
class OpportunityMatch:
    """A row, its contact, and its opportunity (None: new). Both are locked."""

    row: IncomingRow
    contact: Contact | None
    opportunity: Opportunity | None = None


def contact_keys(text: str) -> tuple[str, str]:
    return f"id {text}", f"mail {email_key(text)}"


def match_opportunities(
    rows: Sequence[IncomingRow], scratch: Scratch, by: Actor
) -> tuple[list[OpportunityMatch], Refused]:
    """Return the rows' opportunities and contacts, in a handful of statements, and rejected rows with unknown ones."""
    refused: Refused = {}
    matches = [OpportunityMatch(row, contact) for row, contact in rows_with_contacts(rows, by, refused)]
    _find(matches, by, refused)
    matches = [found for found in matches if found.row.line not in refused]
    _refuse_incomplete(matches, refused)
    complete = [found for found in matches if found.row.line not in refused]
    return without_repeats(complete, _keys, scratch, refused), refused


def rows_with_contacts(
    rows: Sequence[IncomingRow], by: Actor, refused: Refused
) -> Iterator[tuple[IncomingRow, Contact | None]]:
    """Yield each row with the contact that it names, if any; reject those that name an unknown one."""
    people = contacts_named({row.own["contact"] for row in rows if "contact" in row.own}, by)
    for row in rows:
        text = row.own.get("contact", "")
        if text and text not in people:
            sentence = gettext("No contact matches “{text}”. Enter an ID or email.").format(text=text)
            refused[row.line] = (str(CONTACT.label), sentence)
        else:
            yield row, people.get(text)


def contacts_named(texts: set[str], by: Actor) -> dict[str, Contact]:
    """Return the contacts visible to `by`, by their external ID, public id or email; locked."""
    known = by_key({key for text in texts for key in contact_keys(text)}) if texts else {}
    keys = {text: next((known[key].pk for key in contact_keys(text) if key in known), None) for text in texts}
    ids = {public_id: text for text in texts if (public_id := public_id_in(CONTACT, text))}
    rows = Contact.objects.live().filter(public_id__any_of=list(ids)).values_list("public_id", "pk") if ids else ()
    keys |= {ids[public_id]: pk for public_id, pk in rows}
    seen = Contact.objects.live().visible_to(by).filter(pk__any_of=[pk for pk in keys.values() if pk])
    held = {contact.pk: contact for contact in seen.order_by("pk").select_for_update(of=("self",))}
    return {text: held[pk] for text, pk in keys.items() if pk in held}


def _find(matches: Sequence[OpportunityMatch], by: Actor, refused: Refused) -> None:
    """Set each row's opportunity; of several rows for one, only the first's."""
    external = {found.row.own["external_id"]: found for found in reversed(matches) if "external_id" in found.row.own}
    by_name = {
        (found.contact.pk, found.row.own.get("name", "")): found
        for found in reversed(matches)
        if "external_id" not in found.row.own and found.contact
    }
    by_company = {
        (company_key(found.row), found.row.own.get("name", "")): found
        for found in reversed(matches)
        if "external_id" not in found.row.own and not found.contact and company_key(found.row)
    }
    held = _held(external, {contact for contact, name in by_name}, {company for company, name in by_company})
    for opportunity in held:
        own = external.get(opportunity.external_id) if opportunity.external_id else None
        found = own or by_name.get((opportunity.contact_id or 0, opportunity.name))
        if found is None and opportunity.contact_id is None and opportunity.company:
            found = by_company.get((opportunity.company.name_key, opportunity.name))
        if found and found.opportunity is None:
            found.opportunity = opportunity
    rows = [found.opportunity.pk for found in matches if found.opportunity]
    seen = set(Opportunity.objects.visible_to(by).filter(pk__any_of=rows).values_list("pk", flat=True))
    for found in matches:
        if found.opportunity and found.opportunity.pk not in seen:
            refused[found.row.line] = (str(OPPORTUNITY.fields["external_id"].label), str(UNSEEN))
        elif found.opportunity and not may_edit(found.opportunity, by):
            refused[found.row.line] = ("", str(NOT_YOURS))


def company_key(row: IncomingRow) -> str:
    """Return the key of the company that a row names, "" for none."""
    return search_key(row.own.get("company", ""))[:200]


def _held(external: Iterable[str], contacts: Iterable[int], companies: Iterable[str]) -> list[Opportunity]:
    live = Opportunity.objects.live()
    ids = {*live.filter(external_id__any_of=list(external)).values_list("pk", flat=True)} if external else set()
    ids |= {*live.filter(contact__id__any_of=list(contacts)).values_list("pk", flat=True)} if contacts else set()
    if companies:
        alone = live.filter(contact__isnull=True, company__name_key__any_of=list(companies))
        ids |= {*alone.values_list("pk", flat=True)}
    rows = live.filter(pk__any_of=list(ids)).select_related("company").order_by("pk")
    return list(rows.select_for_update(of=("self",))) if ids else []


def _refuse_incomplete(matches: Sequence[OpportunityMatch], refused: Refused) -> None:
    for found in matches:
        own = found.row.own
        if found.opportunity is None and not own.get("name"):
            refused[found.row.line] = (str(OPPORTUNITY.fields["name"].label), gettext("Enter a name."))
        elif found.opportunity is None and found.contact is None and not company_key(found.row):
            refused[found.row.line] = (str(CONTACT.label), gettext("Enter the contact’s ID or email, or a company."))
        elif wrong := _settle_stage(own, found.opportunity) or _contradiction(own):
            refused[found.row.line] = (str(OPPORTUNITY.fields["stage"].label), wrong)


def _settle_stage(own: dict, record: Opportunity | None) -> str:
    """Take a label that several pipelines have for the row's pipeline; return what contradicts it."""
    if "stage" not in own:
        return ""
    stage, pipeline = pipelines.stage(own["stage"]), own.get("pipeline") or (record.pipeline if record else "")
    if not pipeline or stage.pipeline == pipeline:
        return ""
    twins = [each for each in pipelines.stages(pipeline=pipeline) if each.label == stage.label]
    if not twins and "pipeline" in own:
        name = pipelines.name_of(pipelines.process().pipelines[pipeline])
        return gettext("“{stage}” isn’t a stage of {pipeline}.").format(stage=stage.label, pipeline=name)
    own["stage"] = twins[0].key if twins else own["stage"]
    return ""


def _contradiction(own: dict) -> str:
    kind = pipelines.stage(own["stage"]).kind if "stage" in own else ""
    if "won_at" in own and "lost_at" in own:
        return gettext("An opportunity can’t be both won and lost.")
    if "won_at" in own and kind not in ("", StageKind.WON):
        return gettext("Only won opportunities have a won date.")
    if "lost_at" in own and kind not in ("", StageKind.LOST):
        return gettext("Only lost opportunities have a lost date.")
    return ""


def _keys(found: OpportunityMatch) -> list[str]:
    own = found.row.own
    keys = [f"opportunity {found.opportunity.pk}"] if found.opportunity else []
    if "external_id" in own:
        return [*keys, f"id {own['external_id']}"]
    whose = found.contact.pk if found.contact else company_key(found.row)
    return [*keys, f"name {whose} {own.get('name')}"] if whose else keys
