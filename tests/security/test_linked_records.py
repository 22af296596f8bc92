"""Of a hidden record, links reveal only the name: in exports, imports, pages and searches.

Every text of the hidden records except their names is one word, and the rep's own records link to them wherever a field
can. A user with access sees that word in the same places, so no test passes for lack of content.
"""

import csv
import io
from collections.abc import Iterator

import pytest
from django.db.models import CharField, TextField

from contacts.models import Activity, Contact
from crm.entities.fields import FieldType
from crm.entities.models import CustomField
from crm.entities.registry import get
from crm.entities.schema import Path, schema
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit import clock
from crm.kit.scope import in_workspace
from crm.lists.exporting import export_csv, export_paths
from crm.lists.imports.mapping import choices
from crm.lists.imports.running import new_run, run_import
from crm.records.registry import RECORD_TYPES
from tests.installed import legacy_leads
from tests.security.calls import HTMX, call, told
from tests.security.matrix import MATRIX, url
from tests.security.world import act, rows

SECRET = "secretmark"
HIDDEN_KINDS = [kind.entity.name for kind in RECORD_TYPES.values()]
NAMES = {"name", "name_key", "public_id", "currency", "stage", "status", "lifecycle_stage", "country", "timezone"}


@pytest.fixture
def linked(cast, world):
    """Return the world in acme, with every record of the rep's linked to hidden ones."""
    with in_workspace(cast.acme):
        own, hidden = world.own, world.hidden
        keep_secret(hidden)
        values = link_fields(cast, hidden)
        rows(own.contact).update(company=hidden.company, manager=hidden.contact, custom=values)
        rows(hidden.lead).update(contact=own.duplicate)
        rows(own.lead).update(contact=hidden.contact, source="", status="working", contact_by=clock.now())
        rows(own.opportunity).update(contact=hidden.contact, company=hidden.company)
        if legacy_leads:
            rows(own.legacy_lead).update(contact=hidden.contact)
        Activity.objects.filter(pk=own.task.pk).update(company=hidden.company)
        Contact.objects.filter(pk=hidden.contact.pk).update(company=own.company, manager=own.contact)
        yield world


def keep_secret(hidden) -> None:
    """Put the secret in every free text of the hidden records except their names."""
    for kind in HIDDEN_KINDS:
        record = getattr(hidden, kind)
        free = [
            field.name
            for field in record._meta.concrete_fields
            if isinstance(field, CharField | TextField)
            and not field.choices
            and field.name not in NAMES | {"pipeline", "stage"}
        ]
        texts = {name: SECRET for name in free if not name.startswith("floor_")}
        mail = dict.fromkeys({"email", "email_key"} & texts.keys(), f"{SECRET}@person.example")
        rows(record).update(**texts | mail)
        record.refresh_from_db()


def link_fields(cast, hidden) -> dict[str, int]:
    """Create a custom link field of contacts per entity: key → the hidden record."""
    for kind in HIDDEN_KINDS:
        field = CustomField(entity="contact", key=f"see_{kind}", label=f"See {kind}", type="link", target=kind)
        save_custom_field(field, by=act(cast.admin))
    return {f"see_{kind}": getattr(hidden, kind).pk for kind in HIDDEN_KINDS}


def every_path(entity: str) -> Iterator[str]:
    """Yield each field of an entity, and over each link each field of the linked record."""
    for field in schema(entity):
        if field.type is not FieldType.MANY:
            yield f"[{field.key}]"
        if field.type is FieldType.LINK:
            behind = (part for part in schema(field.target) if part.type is not FieldType.MANY)
            yield from (f"[{field.key}].[{part.key}]" for part in behind)


@pytest.mark.parametrize("who", ["rep", "viewer", "manager"])
def test_an_export_shows_only_the_name_of_what_one_does_not_see(who, linked, actor):
    leaks, names = set(), set()
    for entity in (kind.entity.name for kind in RECORD_TYPES.values()):
        shown = exported(entity, list(every_path(entity)), actor(who))
        leaks |= {f"{entity}: {column}" for column, text in shown.items() if SECRET in text}
        names |= {f"{entity}: {column}" for column, text in shown.items() if "hiddenmark" in text}
    assert bool(leaks) == (who == "manager"), leaks
    assert names >= {"contact: [company]", "opportunity: [company]", "contact: [see_opportunity]"}
    assert who == "manager" or names >= {"contact: [manager]", "opportunity: [contact]", "lead: [contact]"}


def exported(entity: str, columns: list[str], by) -> dict[str, str]:
    """Return column → all exported content."""
    paths = export_paths(entity, columns)
    text = "".join(export_csv(get(entity).model.objects.all(), paths, columns, by))
    header, *lines = csv.reader(io.StringIO(text))
    assert lines
    return {name: " ".join(line[place] for line in lines) for place, name in enumerate(header)}


@pytest.mark.once
@pytest.mark.parametrize("who", ["rep", "viewer", "manager"])
def test_no_page_shows_more_than_the_name_of_what_one_does_not_see(who, linked, sign_in):
    client = sign_in(who)
    leaks = [
        address for address, headers in places(linked) if SECRET in told(call(client, "GET", address, {}, headers))
    ]
    assert len(leaks) > len(RECORD_TYPES) if who == "manager" else not leaks, leaks


def places(world) -> Iterator[tuple]:
    """Yield every page, in full and for htmx; every list and export with every column; completions and searches."""
    for name, route in MATRIX.items():
        for headers in ({}, HTMX):
            yield url(name, route.args(world.own) if route.args else ()), headers
    for entity, spec in ((kind.entity.name, kind.listing) for kind in RECORD_TYPES.values()):
        keys = ",".join(field.key for field in schema(entity) if field.type is not FieldType.MANY)
        yield f"/{spec.path}?view=all&columns={keys}", {}
        yield f"/{spec.path}/export?view=all&columns={keys}", {}
    for query in ("hiddenmark", "ownmark"):
        yield f"/search?q={query}", {}
        yield from (
            (f"/contact/options?entity={entity}&q={query}", {})
            for entity in (kind.entity.name for kind in RECORD_TYPES.values())
        )


@pytest.mark.parametrize("address", ["/{path}?view=all&q={word}", "/contact/options?entity={entity}&q={word}"])
def test_no_search_tells_letters_of_what_one_does_not_see(address, linked, sign_in):
    found = {"rep": set(), "manager": set()}
    for who, entities in found.items():
        client = sign_in(who)
        for entity, spec in ((kind.entity.name, kind.listing) for kind in RECORD_TYPES.values()):
            page = told(call(client, "GET", address.format(path=spec.path, entity=entity, word=SECRET)))
            entities |= {entity} if getattr(linked.own, entity).public_id in page else set()
    assert found["rep"] == set()
    assert "lead" in found["manager"]


def test_a_search_still_finds_the_name_beside_a_link(linked, sign_in):
    page = told(call(sign_in("rep"), "GET", "/qualification?view=all&q=hiddenmark"))
    assert linked.own.lead.public_id in page


def link_columns() -> Iterator[tuple[str, Path]]:
    """Yield each declared link that an import may set."""
    for entity in (kind.entity.name for kind in RECORD_TYPES.values() if kind.importer):
        for path in choices(entity):
            if len(path.fields) == 1 and path.field.type is FieldType.LINK and not path.field.custom:
                yield entity, path


def test_an_import_finds_only_what_its_importer_sees(linked, actor):
    columns = list(link_columns())
    assert {entity for entity, _ in columns} >= {"contact", "opportunity"}
    for entity, path in columns:
        hidden, nobody = getattr(linked.hidden, path.field.target), f"{get(path.field.target).prefix}_000000000"
        ways = [hidden.public_id, f"X ({hidden.public_id})"]
        if path.field.target == "contact":  # an unknown company is created
            ways += [hidden.email, hidden.external_id, hidden.name]
        answers = {text: imported(entity, path, text, actor("rep")).replace(text, "") for text in (*ways, nobody)}
        assert set(answers.values()) == {answers[nobody]}, path
        assert answers[nobody]
        assert not imported(entity, path, hidden.public_id, actor("manager"))


def imported(entity: str, path: Path, text: str, by) -> str:
    """Return an import's message for a row with that text as link; '' if accepted."""
    cells = {"name": f"Somebody {text}", "Contact": "ownmark@person.example", str(path.field.label): text}
    if entity != "opportunity" and path.field.key != "contact":
        del cells["Contact"]
    file = io.BytesIO(f"{','.join(cells)}\n{','.join(cells.values())}\n".encode())
    run = new_run(entity, file, "people.csv", by=by)
    run.save()
    return " ".join(refusal.message for refusal in run_import(run, file, by=by, dry_run=True).refusals.all())


def test_an_export_that_is_imported_again_keeps_the_unseen_manager(linked, actor):
    file = io.BytesIO(
        f"external_id,Reports to\n{linked.own.contact.external_id},{linked.hidden.contact.name}\n".encode()
    )
    run = new_run("contact", file, "people.csv", by=actor("rep"))
    run.save()
    run_import(run, file, by=actor("rep"))
    assert (run.refused, run.unchanged) == (0, 1)
    assert Contact.objects.get(pk=linked.own.contact.pk).manager == linked.hidden.contact
