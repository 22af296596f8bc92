"""Files with several emails and phones per contact."""

import csv
import io

import pytest

from audit.undo.undo import undo
from contacts.models import Contact
from crm.kit.actor import Channel, system
from crm.lists.exporting import export_csv, export_paths
from crm.lists.imports.running import new_run, run_import
from tests.contacts.files import counts, import_csv, refusals
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
HEADER = "Name,Email,Email 2,Home email,Work phone,Mobile phone,Phone 2\n"
ANA = "Ana,a@x.example,b@x.example,c@x.example,+34 600 100 200,+34 600 100 201,+34 600 100 202\n"


def kept(kind="email", **who):
    found = Contact.objects.get(**who).addresses.filter(kind=kind).order_by("position")
    return list(found.values_list("value", "label"))


def test_columns_for_further_addresses_are_recognized_and_imported_with_their_labels(acme, cast):
    run = import_csv(HEADER + ANA)
    assert counts(run) == (1, 0, 0, 0)
    assert kept(name="Ana") == [("a@x.example", ""), ("c@x.example", "home"), ("b@x.example", "")]
    assert kept("phone", name="Ana") == [
        ("+34 600 100 200", "work"),
        ("+34 600 100 201", "mobile"),
        ("+34 600 100 202", ""),
    ]
    assert counts(import_csv(HEADER + ANA)) == (0, 0, 1, 0)


def test_without_a_primary_the_first_further_address_is_it(acme, cast):
    import_csv("Name,Work email\nAna,a@x.example\n")
    assert kept(name="Ana") == [("a@x.example", "work")]
    assert Contact.objects.get().email == "a@x.example"


@pytest.mark.parametrize("column", ["Email", "Email 2", "Work email", "Other emails"])
def test_any_email_of_a_row_finds_the_contact_by_any_of_its_own(acme, cast, column):
    ana = make_contact("Ana", email="a@x.example", other_emails="b@x.example")
    run = import_csv(f"{column},Title\nB@X.example,CFO\n")
    ana.refresh_from_db()
    assert (counts(run), ana.title, ana.email, ana.other_emails) == ((0, 1, 0, 0), "CFO", "a@x.example", "b@x.example")


@pytest.mark.parametrize("on_match", ["update", "fill"])
def test_a_new_email_in_a_further_column_is_added_and_undo_removes_it(acme, cast, on_match):
    ana = make_contact("Ana", email="a@x.example", email_label="work")
    run = import_csv("Email,Home email\na@x.example,h@x.example\n", on_match=on_match)
    assert kept(pk=ana.pk) == [("a@x.example", "work"), ("h@x.example", "home")]
    undo(run.change, by=system(acme.pk, Channel.COMMAND))
    assert kept(pk=ana.pk) == [("a@x.example", "work")]


def test_a_new_email_in_the_column_of_the_primary_replaces_it_but_no_other(acme, cast):
    ana = make_contact("Ana", email="a@x.example", other_emails="b@x.example", external_id="1")
    import_csv("External ID,Email\n1,c@x.example\n")
    assert kept(pk=ana.pk) == [("c@x.example", ""), ("b@x.example", "")]


def test_a_known_phone_in_another_notation_adds_nothing(acme, cast):
    acme.country = "ES"
    ana = make_contact("Ana", email="a@x.example", phone="600 100 200")
    assert counts(import_csv("Email,Phone 2\na@x.example,+34600100200\n")) == (0, 0, 1, 0)
    assert kept("phone", pk=ana.pk) == [("600 100 200", "")]


def test_rows_that_share_any_email_or_match_two_contacts_are_rejected(acme, cast):
    make_contact("Ana", email="a@x.example", other_emails="b@x.example")
    make_contact("Bo", email="c@x.example")
    run = import_csv("Name,Email,Email 2\nX,b@x.example,c@x.example\nY,y@x.example,z@x.example\nZ,z@x.example,\n")
    assert refusals(run) == {2: "One email matches Ana, another Bo.", 4: "Duplicate of row 3."}


def test_an_exported_contact_is_imported_unchanged(acme, cast, actor):
    import_csv(HEADER + ANA)
    columns = ["Email", "Email label", "Other emails", "Phone", "Phone label", "Mobile", "Other phones", "Email 2"]
    by = actor("manager")
    text = "".join(export_csv(Contact.objects.all(), export_paths("contact", columns), columns, by))
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["Email 2"], row["Other emails"]) == ("c@x.example", "home: c@x.example\nb@x.example")
    assert counts(import_csv(text)) == (0, 0, 1, 0)


def test_an_event_finds_its_contact_by_a_further_email(acme, cast):
    ana = make_contact("Ana", email="a@x.example", other_emails="b@x.example")
    file = io.BytesIO(b"email,kind,occurred_at\nb@x.example,email_opened,2025-01-02 10:00\n")
    by = system(acme.pk, Channel.IMPORT)
    run = new_run("engagement", file, "events.csv", by=by)
    run.save()
    run_import(run, file, by=by)
    assert ana.engagement.count() == 1
