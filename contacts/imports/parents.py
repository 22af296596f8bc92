"""Parent companies in imports: resolved at the end, because they may come after their subsidiaries."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from contacts.domains import companies_of_domains
from contacts.entities import COMPANY
from contacts.hierarchy import CIRCLE, circles, lock_hierarchy
from contacts.imports.company_matching import CompanyMatch, companies_of_ids, companies_of_names, name_key
from contacts.models import Company
from crm.entities.values import public_id_in
from crm.kit.actor import Actor
from crm.kit.text import domain_key
from crm.kit.translation import gettext as _
from crm.lists.formulas import unescape
from crm.lists.imports.mapping import Mapping as Columns
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import BatchResult, Refused
from crm.lists.imports.scratch import Scratch
from crm.lists.models import OnMatch
from crm.records.writing import apply_each
from crm.users.visibility import may_edit

BATCH = 1_000


def mention(sheet: Sheet, columns: Columns, scratch: Scratch) -> None:
    """Note every external ID, domain and name of the file."""
    kinds = {
        "external_id": "id {}".format,
        "domain": lambda text: f"domain {domain_key(text)}",
        "name": lambda text: f"name {name_key(text)}",
    }
    feeds = [(feed.column, key) for path, key in kinds.items() if (feed := columns.feed(path))]
    for row in sheet.rows():
        if not row.problem:
            scratch.mention(key(unescape(row.cells[column]).strip()) for column, key in feeds if row.cells[column])
    scratch.commit()


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


def link(scratch: Scratch, on_match: str, by: Actor) -> Iterator[BatchResult]:
    """Link companies to their parents in batches, each in a transaction of the caller's."""
    pending = scratch.pending()
    while batch := list(islice(pending, BATCH)):
        yield _link(batch, on_match, by)


def _link(batch: list[tuple[int, int, str, bool]], on_match: str, by: Actor) -> BatchResult:
    lock_hierarchy()
    found, written = _find({text for _line, _pk, text, _changed in batch}, by), BatchResult()
    rows = Company.objects.live().filter(pk__in=[pk for _line, pk, _text, _changed in batch])
    companies = {company.pk: company for company in rows.order_by("pk").select_for_update(of=("self",))}
    links: dict[int, int | None] = {}
    lines: dict[int, tuple[int, bool]] = {}
    for line, pk, text, changed in batch:
        if len(found[text]) != 1:
            sentence = _("Imported without a parent: “{name}” doesn’t name exactly one company.")
            written.refused[line] = ("", sentence.format(name=text))
        elif pk in companies and _differs(companies[pk], parent := next(iter(found[text])), on_match):
            links[pk], lines[pk] = parent, (line, changed)
    closing = circles(Company, "parent", links)
    for pk in closing | {pk for pk in links if not may_edit(companies[pk], by)}:
        if pk in closing:
            sentence = _("Imported without a parent: that company is a subsidiary of this one.")
        else:
            sentence = _("Parent not changed: this company belongs to someone else.")
        written.refused[lines[pk][0]] = ("", sentence)
        del links[pk]
    apply_each([(companies[pk], {"parent": parent}) for pk, parent in links.items()], by=by)
    written.updated = sum(1 for pk in links if not lines[pk][1])
    written.unchanged = -written.updated
    return written


def _differs(company: Company, parent: int, on_match: str) -> bool:
    return company.parent_id != parent and not (on_match == OnMatch.FILL and company.parent_id)


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
