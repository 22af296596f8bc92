import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact
from contacts.verbs.create import create
from crm.entities.models import CustomField
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit.actor import Channel, system
from crm.lists.formulas import DANGEROUS
from crm.lists.models import ImportRun
from leads.models import Lead
from tests.budget import examples
from tests.contacts.files import import_csv
from tests.contacts.test_import_contacts import BAD


def run(name, *arguments, **options):
    """Return (exit status, output)."""
    out = io.StringIO()
    try:
        call_command(name, *arguments, workspace="acme", stdout=out, stderr=out, **options)
    except SystemExit as end:
        return end.code, out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.fixture
def file(tmp_path, acme):
    def write(content):
        path = tmp_path / "people.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def test_the_last_line_is_one_object_for_machines(file):
    status, printed = run("import_contacts", file("name,email,title\nAna,ana@x.example,\n,,CFO\nBo,bo@,\n"), json=True)
    assert status == 1
    assert json.loads(printed.splitlines()[-1]) == {
        "rows": 3,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "refused": 2,
        "errors": [
            {"row": 3, "column": "", "message": "Enter a name or an email."},
            {"row": 4, "column": "email", "message": "“bo@” isn’t a valid email address."},
        ],
    }


def test_a_file_of_bad_rows_ends_with_1_and_again_changes_nothing(file):
    path = file(BAD)
    first, second = run("import_contacts", path, json=True), run("import_contacts", path, json=True)
    assert (first[0], second[0]) == (1, 1)
    report = json.loads(second[1].splitlines()[-1])
    assert (report["created"], report["unchanged"], report["refused"]) == (0, 2, 8)
    assert [error["row"] for error in report["errors"]] == [3, 4, 5, 6, 7, 8, 9, 10]


def test_stages_of_those_who_are_there_are_refused_row_by_row_or_overridden(file):
    run("import_contacts", file("id,name\n" + "".join(f"m{n},P{n}\n" for n in range(20))))
    path = file("id,stage\n" + "".join(f"m{n},Customer\n" for n in range(12)))
    status, printed = run("import_contacts", path, json=True)
    assert (status, json.loads(printed.splitlines()[-1])["refused"]) == (1, 12)
    status, printed = run("import_contacts", path, json=True, override_stages="They have bought")
    assert (status, json.loads(printed.splitlines()[-1])["updated"]) == (0, 12)
    assert Contact.objects.filter(lifecycle_stage="customer").count() == 12


def test_good_rows_end_with_0_and_sentences(file):
    status, printed = run("import_contacts", file("name\nAna\n"))
    assert (status, printed.splitlines()) == (
        0,
        ["1 row: 1 created, 0 updated, 0 unchanged, 0 rejected.", "No stage column – new contacts start as Lead."],
    )


def test_a_trial_leaves_nothing_behind(file):
    status, printed = run("import_contacts", file("name\nAna\n"), dry_run=True)
    assert status == 0 and "no changes made" in printed
    assert not Contact.objects.exists() and not ImportRun.objects.exists()


@pytest.mark.parametrize(
    "options, status, why",
    [
        ({"user": "nobody@acme.example"}, 2, "No active member nobody@acme.example in"),
        ({"maps": ["nope=name"]}, 2, "The file has no column “nope”"),
        ({"maps": ["name=nope"]}, 2, "Contact has no field “nope”"),
        ({"user": "viewer@acme.example"}, 1, "Viewers can’t import files."),
        ({"user": "rep@acme.example", "override_stages": "x"}, 1, "Only managers can override stages."),
    ],
)
def test_what_makes_no_sense_ends_with_2_and_what_is_not_allowed_with_1(file, options, status, why):
    answer = run("import_contacts", file("name\nAna\n"), **options)
    assert answer[0] == status and why in answer[1]


def test_a_missing_file_and_an_empty_one(file, tmp_path):
    assert run("import_contacts", str(tmp_path / "none.csv"))[0] == 2
    status, printed = run("import_contacts", file(""), json=True)
    assert (status, json.loads(printed)["errors"]) == (1, [{"row": 1, "column": "", "message": "The file is empty."}])


def test_a_person_imports_in_their_own_name(file, cast):
    run("import_contacts", file("name\nAna\n"), user="rep@acme.example")
    assert Contact.objects.get().owner == cast.rep


# Export


def exported(tmp_path, **options):
    """Return (exit status, rows)."""
    path = tmp_path / "out.csv"
    status, printed = run("export_contacts", output=str(path), **options)
    return status, list(csv.reader(path.open(newline=""))) if status == 0 else printed


def test_columns_are_chosen_by_name_and_written_by_label(acme, tmp_path, cast):
    import_csv(
        "external_id,name,email,stage,company,company.industry,owner,manager,created_at\n"
        "1,Ana,ana@x.example,Partner,Fleetly,Taxi,rep@acme.example,,2024-01-02 03:04\n2,Bo,,,,,,1,\n"
    )
    columns = "external_id,stage,company.name,company.industry,owner,Reports to,created_at"
    status, rows = exported(tmp_path, columns=columns, where="name = Ana")
    assert status == 0
    assert rows == [
        ["external_id", "stage", "company.name", "company.industry", "owner", "Reports to", "created_at"],
        ["1", "Partner", "Fleetly", "Taxi", "rep@acme.example", "", "2024-01-02T03:04:00Z"],
    ]
    assert exported(tmp_path, columns="Reports to", where="name = Bo")[1] == [["Reports to"], ["ana@x.example"]]


def test_a_view_is_exported_with_its_columns(acme, tmp_path):
    import_csv("name,stage\nAna,Lead\nBo,Customer\n")
    _, rows = exported(tmp_path, view="contacts_leads", columns="name")
    assert rows == [["name"], ["Ana"]]


@pytest.mark.parametrize(
    "option, value", [("view", "nope"), ("where", "stge = Lead"), ("columns", "nope"), ("columns", "reports")]
)
def test_wrong_usage_of_the_export_ends_with_2(acme, tmp_path, option, value):
    assert exported(tmp_path, **{option: value})[0] == 2


def test_a_rep_exports_what_they_see(acme, tmp_path):
    import_csv("name,team,owner\nHidden,Nordics,outsider@acme.example\nSeen,,\n")
    assert exported(tmp_path, columns="name", user="rep@acme.example")[1] == [["name"], ["Seen"]]
    assert len(exported(tmp_path, columns="name")[1]) == 3


def test_custom_fields_of_every_type_come_out_as_they_went_in(acme, tmp_path, cast):
    choices = [{"value": "hot", "label": "Hot"}, {"value": "cold", "label": "Cold, very"}]
    for key, kind, extra in (
        ("motto", "text", {}),
        ("rating", "number", {}),
        ("renewal", "date", {}),
        ("vip", "yes_no", {}),
        ("region", "select", {"choices": choices}),
        ("tags", "multi_select", {"choices": choices}),
        ("buddy", "user", {}),
        ("firm", "link", {"target": "company"}),
    ):
        made = CustomField(entity="contact", key=key, label=key.title(), type=kind, **extra)
        save_custom_field(made, by=system(acme.pk))
    keys = "motto,rating,renewal,vip,region,tags,buddy,firm"
    import_csv("email,company\nx@x.example,Fleetly\n")
    run_ = import_csv(
        f"email,{keys}\na@x.example,'=1,12.5,2026-03-31,no,Hot,cold;Hot,rep@acme.example,Fleetly\nb@x.example,,-3,,yes,,Hot,,\n"
    )
    assert run_.refused == 0
    expected = [
        ["'=1", "12.5", "2026-03-31", "No", "Hot", "Hot; cold", "rep@acme.example", "Fleetly"],
        ["", "'-3", "", "Yes", "", "Hot", "", ""],
    ]
    status, rows = exported(tmp_path, columns=keys, where="company is empty")
    assert (status, rows[1:]) == (0, expected)
    again = run("import_contacts", str(tmp_path / "out.csv"))[1]
    assert "2 rejected" in again  # these columns lack name and address
    exported(tmp_path, columns=f"email,{keys}")
    assert "0 created, 0 updated, 3 unchanged, 0 rejected" in run("import_contacts", str(tmp_path / "out.csv"))[1]


LETTERS = st.sampled_from([*DANGEROUS.replace("\0", ""), "'", '"', ",", ";", "a", "1", " ", "ü", "\\"])
WORDS = st.text(LETTERS, max_size=8).map(str.strip)


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=4))
def test_an_export_imports_and_exports_the_same(acme, tmp_path, people):
    Lead.objects.all().delete()
    Contact.objects.all().delete()
    by = system(acme.pk, Channel.COMMAND)
    made = [{"external_id": f"-{n}", "name": f"{a}x", "title": b, "phone": c} for n, (a, b, c) in enumerate(people)]
    create(made, by=by)
    columns = "external_id,name,title,phone,stage,status,owner,created_at"
    run("export_contacts", output=str(tmp_path / "a.csv"), columns=columns)
    Lead.objects.all().delete()
    Contact.objects.all().delete()
    status, printed = run("import_contacts", str(tmp_path / "a.csv"))
    assert status == 0, printed
    run("export_contacts", output=str(tmp_path / "b.csv"), columns=columns)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
