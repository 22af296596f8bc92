"""Reporting lines in imports: resolved at the end, because managers may come after their reports."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from django.db import connection
from django.db.models import QuerySet

from contacts.address_fields import ADDED
from contacts.addresses import EMAIL
from contacts.entities import CONTACT
from contacts.hierarchy import circles
from contacts.imports.matching import Match, by_key, contacts_not_visible, keys_of
from contacts.models import Contact
from crm.entities.values import public_id_in
from crm.kit.actor import Actor
from crm.kit.text import email_key, search_key
from crm.kit.translation import gettext as _
from crm.lists.formulas import unescape
from crm.lists.imports.mapping import Mapping as Columns
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import BatchResult, Refused
from crm.lists.imports.scratch import Scratch
from crm.lists.models import OnMatch
from crm.records.writing import apply_each
from crm.users.visibility import may_edit

BATCH = {"postgresql": 10_000, "sqlite": 35}


def mention(sheet: Sheet, columns: Columns, scratch: Scratch) -> None:
    """Note every external ID and email of the file."""
    emails = ["email", *(key for key, (kind, _label) in ADDED.items() if kind == EMAIL)]
    kinds = {"external_id": "id {}".format} | dict.fromkeys(emails, lambda text: f"mail {email_key(text)}")
    feeds = [(feed.column, key) for path, key in kinds.items() if (feed := columns.feed(path))]
    for row in sheet.rows():
        if not row.problem:
            scratch.mention(key(unescape(row.cells[column]).strip()) for column, key in feeds if row.cells[column])
    scratch.commit()


def unknown(matches: Sequence[Match], scratch: Scratch, by: Actor) -> Refused:
    """Reject rows whose manager is unknown to `by` and the file, ambiguous, or the contact itself.

    A row with the name of the contact's current manager, visible or not, keeps them: exports contain that name.
    """
    wanted = {match.row.line: match.row.own["manager"] for match in matches if "manager" in match.row.own}
    if not wanted:
        return {}
    coming = scratch.mentioned(key for text in wanted.values() for key in _keys(text))
    found = _find(set(wanted.values()), by)
    present = _present([match for match in matches if match.row.line in wanted and not found[wanted[match.row.line]]])
    refused: Refused = {}
    label = str(CONTACT.fields["manager"].label)
    for match in matches:
        text = wanted.get(match.row.line)
        if text is None:
            continue
        if {*keys_of(match.row)} & {*_keys(text)} or (match.contact and found[text] == {match.contact.pk}):
            refused[match.row.line] = (label, _("A contact can’t report to themselves."))
        elif len(found[text]) > 1:
            sentence = _("Several contacts are named “{name}”. Use the email instead.")
            refused[match.row.line] = (label, sentence.format(name=text))
        elif not found[text] and present.get(match.row.line) == _folded(text):
            del match.row.own["manager"]
        elif not found[text] and not coming & {*_keys(text)}:
            sentence = _("No contact matches “{name}”, in the workspace or in the file.")
            refused[match.row.line] = (label, sentence.format(name=text))
    return refused


def link(scratch: Scratch, on_match: str, by: Actor) -> Iterator[BatchResult]:
    """Link contacts to their managers in batches, each in a transaction of the caller's."""
    pending = scratch.pending()
    while batch := list(islice(pending, BATCH[connection.vendor])):
        yield _link(batch, on_match, by)


def _link(batch: list[tuple[int, int, str, bool]], on_match: str, by: Actor) -> BatchResult:
    found, written = _find({text for _, _, text, _ in batch}, by), BatchResult()
    people = Contact.objects.live().filter(pk__in=[pk for _, pk, _, _ in batch]).select_related("company")
    people = {person.pk: person for person in people.order_by("pk").select_for_update(of=("self",))}
    links, lines = {}, {}
    for line, pk, text, changed in batch:
        if len(found[text]) != 1:
            written.refused[line] = ("", _("Imported without a manager: “{name}” wasn’t imported.").format(name=text))
        elif pk in people and _differs(people[pk], manager := next(iter(found[text])), on_match):
            links[pk], lines[pk] = manager, (line, changed)
    closing = circles(Contact, "manager", links)
    for pk in closing | {pk for pk in links if not may_edit(people[pk], by)}:
        if pk in closing:
            sentence = _("Imported without a manager: the manager reports to this contact.")
        else:
            sentence = _("Manager not changed: this contact belongs to someone else.")
        written.refused[lines[pk][0]] = ("", sentence)
        del links[pk]
    apply_each([(people[pk], {"manager": manager}) for pk, manager in links.items()], by=by)
    written.updated = sum(1 for pk in links if not lines[pk][1])
    written.unchanged = -written.updated
    return written


def _differs(person: Contact, manager: int, on_match: str) -> bool:
    return person.manager_id != manager and not (on_match == OnMatch.FILL and person.manager_id)


def _keys(text: str) -> tuple[str, str]:
    return f"id {text}", f"mail {email_key(text)}"


def _find(texts: set[str], by: Actor) -> Mapping[str, set[int]]:
    """Return the contacts that texts name to `by`: by external ID, email or public id, then by name."""
    people = by_key({key for text in texts for key in _keys(text)})
    hidden = contacts_not_visible(people.values(), by)
    found: defaultdict[str, set[int]] = defaultdict(set)
    for text in texts:
        found[text] |= {people[key].pk for key in _keys(text) if key in people} - hidden
    left, seen = [text for text in texts if not found[text]], Contact.objects.live().visible_to(by)
    for text, pk in (*_by_public_id(left, seen), *_by_name(left, seen)):
        found[text].add(pk)
    return found


def _by_public_id(texts: Iterable[str], seen: QuerySet[Contact]) -> Iterator[tuple[str, int]]:
    ids = {public_id: text for text in texts if (public_id := public_id_in(CONTACT, text))}
    rows = seen.filter(public_id__any_of=ids).values_list("public_id", "pk") if ids else ()
    return ((ids[public_id], pk) for public_id, pk in rows)


def _by_name(texts: Iterable[str], seen: QuerySet[Contact]) -> Iterator[tuple[str, int]]:
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        wanted[_folded(text)].append(text)
    named = seen.filter(name_key__any_of=list(wanted)).values_list("name_key", "pk") if wanted else ()
    return ((text, pk) for key, pk in named for text in wanted[key])


def _present(matches: Sequence[Match]) -> dict[int, str]:
    """Map each line to the folded name of its contact's current manager."""
    lines = {match.contact.pk: match.row.line for match in matches if match.contact and match.contact.manager_id}
    rows = Contact.objects.filter(pk__any_of=list(lines)).values_list("pk", "manager__name") if lines else ()
    return {lines[pk]: _folded(name) for pk, name in rows}


def _folded(name: str) -> str:
    return search_key(name)[:200]
