"""Parent companies in imports."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from contacts.domains import companies_of_domains
from contacts.entities import COMPANY
from contacts.hierarchy import CIRCLE, lock_hierarchy
from contacts.imports.company_matching import CompanyMatch, companies_of_ids, companies_of_names, name_key
from contacts.imports.hierarchy import LinkAbove
from contacts.models import Company
from crm.entities.values import public_id_in
from crm.kit.actor import Actor
from crm.kit.text import domain_key
from crm.kit.translation import gettext as _
from crm.kit.translation import gettext_lazy
from crm.lists.imports.registry import Refused
from crm.lists.imports.scratch import Scratch


def unknown(matches: Sequence[CompanyMatch], scratch: Scratch, by: Actor) -> Refused:
    """Reject rows whose parent is unknown to `by` and the file, ambiguous, or the company itself.

    A row with the name of the company's current parent, visible or not, keeps it: exports contain that name.
    """
    wanted = {match.row.line: match.row.own["parent"] for match in matches if "parent" in match.row.own}
    if not wanted:
        return {}
    coming = scratch.mentioned(key for text in wanted.values() for key in _keys(text))
    found, present = _find(set(wanted.values()), by), _present(matches)
    refused: Refused = {}
    for match in (match for match in matches if match.row.line in wanted):
        line, text = match.row.line, wanted[match.row.line]
        if len(found[text]) != 1 and present.get(line) == name_key(text):
            del match.row.own["parent"]
        elif why := _problem(match, text, found[text], bool(coming & {*_keys(text)})):
            refused[line] = (str(COMPANY.fields["parent"].label), why)
    return refused


def _problem(match: CompanyMatch, text: str, found: set[int], is_coming: bool) -> str:
    is_own = found == {match.company.pk} if match.company else not found and _is_named(match, text)
    if is_own:
        return str(CIRCLE)
    if len(found) > 1:
        sentence = _("Several companies are named “{name}”. Use an external ID or a domain instead.")
        return sentence.format(name=text)
    if not found and not is_coming:
        return _("No company matches “{name}”, in the workspace or in the file.").format(name=text)
    return ""


def _is_named(match: CompanyMatch, text: str) -> bool:
    own = match.row.own
    return text == own.get("external_id") or name_key(text) == name_key(own.get("name", ""))


def _keys(text: str) -> tuple[str, ...]:
    return f"id {text}", f"domain {domain_key(text)}", f"name {name_key(text)}"


def _find(texts: set[str], by: Actor) -> Mapping[str, set[int]]:
    """Return the companies that texts name to `by`: by external ID, public ID, domain, or else by name."""
    seen = Company.objects.live().visible_to(by)
    public_ids = {text: public_id for text in texts if (public_id := public_id_in(COMPANY, text))}
    by_public_id = dict(seen.filter(public_id__any_of=set(public_ids.values())).values_list("public_id", "pk"))
    ids = companies_of_ids(texts)
    owners = companies_of_domains({domain for text in texts if (domain := domain_key(text))}, by)
    visible = {*by_public_id.values(), *(company.pk for company in owners.values())}
    visible |= set(seen.filter(pk__any_of=set(ids.values())).values_list("pk", flat=True)) if ids else set()
    named = companies_of_names(set(map(name_key, texts)), by)
    found: defaultdict[str, set[int]] = defaultdict(set)
    for text in texts:
        owner = owners.get(domain_key(text))
        keys = (ids.get(text), by_public_id.get(public_ids.get(text, "")), owner and owner.pk)
        best = next((pk for pk in keys if pk in visible), None)
        found[text] = {best} if best else set(named.get(name_key(text), ()))
    return found


def _present(matches: Sequence[CompanyMatch]) -> dict[int, str]:
    """Map each line to the key of its company's current parent's name."""
    lines = {match.company.pk: match.row.line for match in matches if match.company and match.company.parent_id}
    rows = Company.objects.filter(pk__any_of=list(lines)).values_list("pk", "parent__name_key") if lines else ()
    return {lines[pk]: key for pk, key in rows}


PARENTS = LinkAbove(
    Company,
    "parent",
    {
        "external_id": "id {}".format,
        "domain": lambda text: f"domain {domain_key(text)}",
        "name": lambda text: f"name {name_key(text)}",
    },
    _find,
    unresolved=gettext_lazy("Imported without a parent: “{name}” doesn’t name exactly one company."),
    circle=gettext_lazy("Imported without a parent: that company is a subsidiary of this one."),
    locked=gettext_lazy("Parent not changed: this company belongs to someone else."),
    lock_first=lock_hierarchy,
)
