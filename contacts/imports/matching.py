"""Matching of rows to contacts outside the trash, by external ID, then by any email; each contact once per file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.expressions import RawSQL

from contacts.finding import with_emails
from contacts.imports.addresses import keys_of_emails
from contacts.models import Company, Contact
from crm.kit.actor import Actor, Role
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.registry import IncomingRow, Refused
from crm.lists.imports.repeats import without_repeats
from crm.lists.imports.scratch import Scratch

UNSEEN = _("The external ID or email belongs to a contact that you can’t see.")


@dataclass(slots=True)
class Match:
    """A row, its locked contact (None: new), and its company, if any."""

    row: IncomingRow
    contact: Contact | None
    company: Company | None = None


def keys_of(row: IncomingRow) -> tuple[str, ...]:
    """Return a row's matching keys: external ID and emails."""
    external = row.own.get("external_id")
    return (*((f"id {external}",) if external else ()), *(f"mail {key}" for key in keys_of_emails(row.own)))


def match(rows: Sequence[IncomingRow], scratch: Scratch, by: Actor) -> tuple[list[Match], Refused]:
    """Return the rows' contacts, in at most three statements, and rejected rows: two matches, or a repeated contact."""
    keys = {row.line: keys_of(row) for row in rows}
    people = by_key({key for own in keys.values() for key in own}, lock=True)
    hidden = contacts_not_visible(people.values(), by)
    matches, refused = [], {}
    for row in rows:
        found = {people[key].pk: people[key] for key in keys[row.line] if key in people}
        if found.keys() & hidden:
            refused[row.line] = ("", str(UNSEEN))
        elif len(found) > 1:
            first, second, *_others = found.values()
            if row.own.get("external_id"):
                sentence = gettext("External ID matches {first}, but email matches {second}.")
            else:
                sentence = gettext("One email matches {first}, another {second}.")
            refused[row.line] = ("", sentence.format(first=first, second=second))
        else:
            matches.append(Match(row, next(iter(found.values()), None)))

    def own_keys(found: Match) -> tuple[str, ...]:
        return (*keys[found.row.line], *((f"contact {found.contact.pk}",) if found.contact else ()))

    return without_repeats(matches, own_keys, scratch, refused), refused


def by_key(keys: Iterable[str], *, lock: bool = False) -> dict[str, Contact]:
    ids = ids_of(keys)
    people = Contact.objects.live().filter(pk__any_of=ids).select_related("company").order_by("pk")
    people = people.select_for_update(of=("self",)) if lock else people
    found: dict[str, Contact] = {}
    for person in people if ids else ():
        found |= {f"id {person.external_id}": person} | {f"mail {key}": person for key in person.email_keys}
    return found


def ids_of(keys: Iterable[str]) -> set[int]:
    split: dict[str, list[str]] = {"id": [], "mail": []}
    for key in keys:
        kind, _, value = key.partition(" ")
        split[kind].append(value)
    return {*_with_external_ids(split["id"]), *with_emails(split["mail"]).values()}


def _with_external_ids(values: list[str]) -> Iterable[int]:
    # The empty text is a literal, as in the partial index: SQLite compares the text, not the meaning.
    filled = ~Q(external_id=RawSQL("''", ()))
    rows = Contact.objects.live().filter(filled, external_id__any_of=values)
    return rows.values_list("pk", flat=True) if values else ()


def contacts_not_visible(people: Iterable[Contact], by: Actor) -> set[int]:
    """Return the primary keys of those hidden from `by`."""
    if by.is_at_least(Role.MANAGER):
        return set()
    ids = {person.pk for person in people}
    return ids - set(Contact.objects.visible_to(by).filter(pk__any_of=ids).values_list("pk", flat=True))
