"""Reporting lines in imports."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db.models import QuerySet

from contacts.address_fields import ADDED
from contacts.addresses import EMAIL
from contacts.entities import CONTACT
from contacts.imports.hierarchy import LinkAbove
from contacts.imports.matching import Match, by_key, contacts_not_visible, keys_of
from contacts.models import Contact
from crm.entities.values import public_id_in
from crm.kit.actor import Actor
from crm.kit.text import email_key, search_key
from crm.kit.translation import gettext as _
from crm.kit.translation import gettext_lazy
from crm.lists.imports.registry import Refused
from crm.lists.imports.scratch import Scratch


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


EMAILS = ("email", *(key for key, (kind, _label) in ADDED.items() if kind == EMAIL))

MANAGERS = LinkAbove(
    Contact,
    "manager",
    {"external_id": "id {}".format} | dict.fromkeys(EMAILS, lambda text: f"mail {email_key(text)}"),
    _find,
    unresolved=gettext_lazy("Imported without a manager: “{name}” wasn’t imported."),
    circle=gettext_lazy("Imported without a manager: the manager reports to this contact."),
    locked=gettext_lazy("Manager not changed: this contact belongs to someone else."),
    batch={"postgresql": 10_000, "sqlite": 35},
)
