import json
from datetime import UTC, datetime

import pytest

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Company, Contact
from crm.entities.models import CustomField
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit.actor import Channel, system
from crm.kit.errors import Invalid, NotAllowed
from crm.lifecycle import guards
from crm.lifecycle.guards import install_shipped
from crm.lifecycle.models import Transition
from crm.lists.models import ImportRun
from tests.contacts.files import counts, import_csv, refusals
from tests.factories import make_worthy

LINE = "external_id,name,email,stage\n"


@pytest.fixture(autouse=True)
def rules(acme):
    install_shipped()
    guards._rules.cache_clear()  # another test's workspace may have had the same key, without guards


def person(**wanted):
    return Contact.objects.get(**wanted)


def test_a_new_person_comes_in_whole(acme, cast):
    run = import_csv(
        "ID,First Name,Last Name,E-mail Address,Organization,Job Title,Mobile Phone,Lead Source,Owner,Lifecycle Stage\n"
        "a1,Ana,Ruiz,Ana.Ruiz@Example.com,Fleetly,CFO,+34 600 100 200,web,rep@acme.example,Customer\n"
    )
    assert counts(run) == (1, 0, 0, 0)
    ana = person(external_id="a1")
    assert (ana.name, ana.email, ana.email_key) == ("Ana Ruiz", "Ana.Ruiz@Example.com", "ana.ruiz@example.com")
    assert (ana.company.name, ana.title, ana.mobile, ana.source) == ("Fleetly", "CFO", "+34 600 100 200", "web")
    assert (ana.owner, ana.lifecycle_stage, ana.status) == (cast.rep, "customer", "active")
    assert "fleetly" in ana.search_text and "34600100200" in ana.search_text


def test_a_new_person_is_recorded_as_if_by_hand(acme):
    run = import_csv("external_id,name,email\na1,Ana,ana@x.example\n")
    ana = person(external_id="a1")
    entry = Entry.objects.get(entity="contact")
    assert (entry.event, entry.action, entry.change, entry.channel) == (
        "contact.created",
        "CREATE",
        run.change,
        "import",
    )
    assert (entry.entity_id, entry.person, entry.member_id) == (ana.pk, ana.pk, None)
    assert entry.old_values is None and entry.new_values["name"] == "Ana"
    assert entry.salt
    moves = Transition.objects.filter(record_id=ana.pk, entity="contact").values_list(
        "axis", "from_value", "to_value", "verb", "change"
    )
    assert sorted(moves) == [
        ("lifecycle_stage", "", "lead", "import", run.change),
        ("status", "", "active", "import", run.change),
    ]


@pytest.mark.once
def test_the_same_file_again_changes_nothing(acme):
    text = (
        "external_id,name,email,company,stage\na1,Ana,ana@x.example,Fleetly,customer\n,Bo,bo@x.example,FLEETLY,Lead\n"
    )
    import_csv(text)
    before = Entry.objects.count()
    assert counts(import_csv(text)) == (0, 0, 2, 0)
    assert Entry.objects.count() == before
    assert Company.objects.count() == 1


BAD = b"""name,email,stage,phone
Good One,one@x.example,Lead,+49 1
,,Lead,+49 2
Broken,nobody-at-x,Lead,+49 3
Unknown,two@x.example,Leed,+49 4
Twice,ONE@x.example,Lead,+49 5
Nul,nul\0@x.example,Lead,+49 6
Giant,giant@x.example,Lead,%s
Short,short@x.example
Long,long@x.example,Lead,+49 7,more
Good Two,three@x.example,customer,'+49 8
""" % (b"9" * (1 << 20))


def test_bad_rows_are_named_by_line_and_the_good_ones_come_in(acme):
    run = import_csv(BAD)
    assert counts(run) == (2, 0, 0, 8)
    why = refusals(run)
    assert why == {
        3: "Enter a name or an email.",
        4: "“nobody-at-x” isn’t a valid email address.",
        5: "“Leed” isn’t a valid value for Lifecycle Stage. Did you mean “Lead”?",
        6: "Duplicate of row 2.",
        7: "The row contains NUL characters. Remove them.",
        8: "The line is longer than 1,000,000 characters.",
        9: "This row has 2 columns. The header has 4.",
        10: "This row has 5 columns. The header has 4.",
    }
    assert sorted(Contact.objects.values_list("name", "phone")) == [("Good One", "+49 1"), ("Good Two", "+49 8")]
    assert Entry.objects.filter(entity="contact").count() == 2
    assert Transition.objects.filter(entity="contact").count() == 4
    assert counts(import_csv(BAD)) == (0, 0, 2, 8)


def test_a_person_is_matched_by_external_id_else_by_email(acme):
    import_csv("external_id,name,email\na1,Ana,ana@x.example\n,Bo,bo@x.example\n")
    run = import_csv("external_id,title,email\na1,CFO,ana@new.example\nb1,CEO,BO@x.example\n")
    assert counts(run) == (0, 2, 0, 0)
    assert person(external_id="a1").email == "ana@new.example"
    assert (person(email_key="bo@x.example").external_id, person(external_id="b1").title) == ("b1", "CEO")


def test_a_row_that_names_two_people_is_refused(acme):
    import_csv("external_id,name,email\na1,Ana,ana@x.example\nb1,Bo,bo@x.example\n")
    run = import_csv("external_id,email,title\na1,bo@x.example,CFO\n")
    assert refusals(run) == {2: "External ID matches Ana, but email matches Bo."}


def test_the_same_person_by_another_key_is_refused_with_the_line(acme):
    import_csv("external_id,name,email\na1,Ana,ana@x.example\n")
    run = import_csv("external_id,email,title\na1,,CFO\n,ana@x.example,CEO\n")
    assert refusals(run) == {3: "Duplicate of row 2."}
    assert person(external_id="a1").title == "CFO"


def test_people_in_the_trash_do_not_match(acme):
    import_csv("name,email\nAna,ana@x.example\n")
    Contact.objects.update(deleted_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert counts(import_csv("name,email\nAna,ana@x.example\n")) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "on_match, title, phone", [("update", "CEO", "+49"), ("fill", "CFO", "+49"), ("skip", "CFO", "")]
)
def test_what_happens_to_those_who_are_there_is_chosen(acme, on_match, title, phone):
    import_csv("email,title,source\nana@x.example,CFO,web\n")
    run = import_csv("email,title,phone,source\nana@x.example,CEO,+49,\n", on_match=on_match)
    ana = person()
    assert (ana.title, ana.phone, ana.source) == (title, phone, "web")
    assert counts(run) == ((0, 0, 1, 0) if on_match == "skip" else (0, 1, 0, 0))


def test_an_update_is_recorded_with_the_old_values(acme):
    import_csv("email,title\nana@x.example,CFO\n")
    run = import_csv("email,title,owner\nana@x.example,CEO,rep@acme.example\n")
    entries = {entry.event: entry for entry in Entry.objects.filter(change=run.change)}
    assert entries["contact.updated"].old_values == {"title": "CFO"}
    assert entries["contact.updated"].new_values == {"title": "CEO"}
    assert entries["contact.assigned"].old_values == {"owner": None}
    assert person().version == 2


def test_the_full_name_follows_its_parts(acme):
    import_csv("email,first name,last name\nana@x.example,Ana,Ruiz\n")
    import_csv("email,last name\nana@x.example,Díaz\n")
    assert (person().name, person().name_key) == ("Ana Díaz", "ana diaz")


def test_a_file_without_a_stage_column_says_so(acme):
    notes = import_csv("email,shoe size\nana@x.example,41\n").notes
    assert notes == ["Skipped columns: shoe size.", "No stage column – new contacts start as Lead."]


def test_created_at_dates_a_new_person_and_their_history(acme):
    import_csv("email,stage,created_at\nana@x.example,Customer,2024-05-06 10:00\n")
    at = datetime(2024, 5, 6, 10, tzinfo=UTC)
    ana = person()
    assert (ana.created_at, ana.last_activity, ana.lifecycle_stage_since) == (at, at, at)
    assert set(Transition.objects.values_list("at", flat=True)) == {at}
    assert Entry.objects.get(entity="contact").at == at


def test_a_person_cannot_have_been_created_in_the_future(acme):
    run = import_csv("email,created_at\nana@x.example,2290-01-01 00:00\n")
    assert refusals(run) == {2: "“2290-01-01 00:00” is in the future."}


# Stages of existing contacts


def test_a_stage_is_a_legal_move_or_refuses_its_row_whole(acme):
    import_csv(LINE + "a,A,a@x.example,lead\nq,Q,q@x.example,qualified\nn,N,,lead\n,C,c@x.example,customer\n")
    run = import_csv(
        "external_id,email,stage,title\n"
        "a,,customer,Boss\nq,,Customer,Boss\nn,,qualified,Boss\na2,c@x.example,churned,Boss\n"
    )
    assert counts(run) == (0, 2, 0, 2)
    assert refusals(run) == {
        2: "“Mark as customer” isn’t available at Lead, only at Qualified.",
        4: "Email required for qualification",
    }
    assert dict(Contact.objects.values_list("lifecycle_stage", "title")) == {
        "lead": "",
        "customer": "Boss",
        "churned": "Boss",
    }
    assert Entry.objects.filter(change=run.change, event__in=["contact.won", "contact.churned"]).count() == 2


def test_a_guard_sees_what_the_same_row_brings(acme):
    import_csv("external_id,name\na,Ana\n")
    make_worthy(Contact.objects.get())
    assert counts(import_csv("external_id,email,stage\na,ana@x.example,qualified\n")) == (0, 1, 0, 0)
    assert person().lifecycle_stage == "qualified"


def test_an_override_moves_past_the_table_with_a_warning(acme):
    import_csv(LINE + "a,Ana,,\nb,Bo,,qualified\n")
    run = import_csv("external_id,stage\na,Customer\nb,Customer\n", override_reason="Bought offline")
    assert counts(run) == (0, 2, 0, 0)
    entries = {entry.event: entry for entry in Entry.objects.filter(change=run.change)}
    assert (entries["contact.overridden"].severity, entries["contact.overridden"].note) == ("warning", "Bought offline")
    assert entries["contact.won"].severity == "info"


def test_only_managers_and_admins_override(acme, actor):
    with pytest.raises(NotAllowed, match="Only managers can override stages"):
        import_csv("email\na@x.example\n", by=actor("rep"), override_reason="Because")


def test_a_rep_cannot_reopen_by_import(acme, actor):
    import_csv("email,stage\nana@x.example,lost\n")
    run = import_csv("email,stage\nana@x.example,lead\n", by=actor("rep"))
    assert refusals(run) == {2: "Only managers and admins can move a contact from Lost to Lead."}


# Rights


def test_a_viewer_cannot_import(acme, actor):
    with pytest.raises(NotAllowed):
        import_csv("email\na@x.example\n", by=actor("viewer"))


def test_a_rep_imports_for_themselves_and_changes_only_their_own(acme, cast, actor):
    import_csv("email,name\nmine@x.example,Mine\n", by=actor("rep"))
    assert person().owner == cast.rep
    import_csv("email,team,owner\nhidden@x.example,Nordics,outsider@acme.example\n")
    import_csv("email,owner\nseen@x.example,mate@acme.example\n")
    run = import_csv("email,title\nmine@x.example,CFO\nhidden@x.example,CFO\nseen@x.example,CFO\n", by=actor("rep"))
    assert counts(run) == (0, 1, 0, 2)
    assert refusals(run) == {
        3: "The external ID or email belongs to a contact that you can’t see.",
        4: "View only – this contact belongs to someone else.",
    }


# Companies


def test_companies_are_found_by_what_looks_equal_made_when_missing_and_told_by_path(acme):
    import_csv("email,company,company.industry,company.country\na@x.example,Peña SA,Taxi,es\nb@x.example,PEÑA sa,,\n")
    import_csv("email,company\nc@x.example,Pena SA\nd@x.example,Pen\u0303a  SA\n")
    assert Company.objects.values_list("name", "industry", "country").get() == ("Peña SA", "Taxi", "ES")
    run = import_csv("email,company,company.industry\na@x.example,Peña SA,Logistics\n")
    entry = Entry.objects.get(change=run.change)
    assert (entry.event, entry.old_values, entry.new_values) == (
        "company.updated",
        {"industry": "Taxi"},
        {"industry": "Logistics"},
    )


def test_of_companies_that_were_two_before_the_one_that_is_written_so_is_meant(acme):
    import_csv("email,company\na@x.example,Peña SA\n")
    other = Company.objects.get()
    other.pk, other.public_id, other.name = None, "org_AAAAAAAAA", "Pena SA"
    other.save(force_insert=True)
    run = import_csv("email,company\nb@x.example,PENA SA\nc@x.example,Péna SA\n")
    assert person(email="b@x.example").company == other
    assert refusals(run) == {3: "Several companies are named “Péna SA”. Use the record ID instead (org_…)."}


def test_the_first_row_says_what_a_company_is_and_rows_that_differ_are_named(acme):
    text = "name,email,company,company.domain\nA,a@x.example,Flip Ltd,one.example\nB,b@x.example,FLIP Ltd,two.example\n"
    differs = "Row 3: Domain of FLIP Ltd is “two.example”, but “one.example” in an earlier row. The first was kept."
    run = import_csv(text)
    assert (Company.objects.get().domain, run.notes[-1]) == ("one.example", differs)
    again = import_csv(text)
    assert (Company.objects.get().domain, counts(again), again.notes[-1]) == ("one.example", (0, 0, 2, 0), differs)
    run = import_csv("email,company,company.domain\na@x.example,Flip Ltd,three.example\n")
    assert (Company.objects.get().domain, counts(run)) == ("three.example", (0, 1, 0, 0))
    assert "Companies updated: 1." in run.notes


def test_several_companies_of_one_name_need_an_id(acme):
    import_csv("email,company\na@x.example,Acme\n")
    other = Company.objects.get()
    other.pk, other.public_id = None, "org_AAAAAAAAA"
    other.save(force_insert=True)
    run = import_csv("email,company\nb@x.example,Acme\nc@x.example,org_AAAAAAAAA\n")
    assert refusals(run) == {2: "Several companies are named “Acme”. Use the record ID instead (org_…)."}
    assert person(email="c@x.example").company == other


# Managers


def test_a_manager_may_stand_further_down_in_the_file(acme):
    run = import_csv(
        "external_id,email,name,Reports to\n1,a@x.example,Ana,B@x.example\n2,b@x.example,Bo,3\n3,,Cy,\n"
        "4,d@x.example,Di,nobody@x.example\n5,e@x.example,Eve,5\n"
    )
    assert counts(run) == (3, 0, 0, 2)
    assert (person(name="Ana").manager.name, person(name="Bo").manager.name) == ("Bo", "Cy")
    assert refusals(run) == {
        5: "No contact matches “nobody@x.example”, in the workspace or in the file.",
        6: "A contact can’t report to themselves.",
    }


def test_nobody_reports_to_themselves_over_others(acme):
    run = import_csv("external_id,name,manager\n1,Ana,2\n2,Bo,1\n")
    links = {c.name: c.manager and c.manager.name for c in Contact.objects.select_related("manager")}
    assert sorted(map(str, links.values())) in (["Ana", "None"], ["Bo", "None"])
    assert len([note for note in run.notes if "Imported without a manager" in note]) == 1


def test_a_manager_alone_counts_as_an_update_once(acme):
    import_csv("external_id,name\n1,Ana\n2,Bo\n")
    text = "external_id,manager\n1,2\n"
    assert counts(import_csv(text)) == (0, 1, 0, 0)
    assert counts(import_csv(text)) == (0, 0, 1, 0)


# Mapping


def test_one_column_may_feed_several_fields_and_custom_ones(acme):
    save_custom_field(
        CustomField(entity="contact", key="landing", label="Landing page", type="text"), by=system(acme.pk)
    )
    import_csv("mql,page\nm1,p1\n", maps=["mql=external_id", "mql=name", "page=Landing page"])
    assert (person().name, person().external_id, person().custom) == ("m1", "m1", {"landing": "p1"})
    assert Entry.objects.get(entity="contact").new_values["custom"] == {"landing": "p1"}
    run = import_csv("mql,page\nm1,p2\n", maps=["mql=external_id", "page=landing"])
    assert Entry.objects.get(change=run.change).old_values == {"custom.landing": "p1"}


@pytest.mark.parametrize(
    "maps, why",
    [
        (["nope=name"], "The file has no column “nope”. Its columns are: a, b."),
        (["a=nmae"], "Contact has no field “nmae”. Did you mean “Name”?"),
        (["a=last_activity"], "Last activity is set automatically"),
        (["a=manager.email"], "can’t be imported"),
        (["a=name", "b=name"], "“a” and “b” are both mapped to Name. Keep one."),
        (["name"], "isn’t a valid mapping"),
        ([], "No columns are mapped to a field."),
    ],
)
def test_a_map_that_makes_no_sense_says_why(acme, maps, why):
    with pytest.raises(Invalid, match=why.replace("?", r"\?")):
        import_csv("a,b\n1,2\n", maps=maps)


def test_required_custom_fields_are_required_of_new_people_only(acme):
    import_csv("email\nold@x.example\n")
    made = CustomField(entity="contact", key="tier", label="Tier", type="text", required=True)
    save_custom_field(made, by=system(acme.pk))
    run = import_csv("email,title\nold@x.example,CFO\nnew@x.example,CFO\n")
    assert (counts(run), refusals(run)) == ((0, 1, 0, 1), {3: "Tier is required."})


def test_text_that_is_too_long_refuses_its_row(acme):
    run = import_csv(f"email,title\na@x.example,{'x' * 121}\nb@x.example,{'x' * 120}\n")
    assert (counts(run), refusals(run)) == ((1, 0, 0, 1), {2: "Title can’t be longer than 120 characters."})


# Undo, preview, resume


def everything():
    """Return the tables' contents, without times and counts of writes."""
    apart = {"version", "updated_at"}
    tables = {}
    for model in (Contact, Company):
        names = [f.attname for f in model._meta.concrete_fields if f.attname not in apart]
        tables[model.__name__] = sorted(map(str, model.objects.values_list(*names)))
    return json.dumps(tables)


def test_undo_takes_the_whole_import_back(acme, actor):
    import_csv("external_id,email,name,company,stage\na,a@x.example,Ana,Old,lead\nb,b@x.example,Bo,,qualified\n")
    before = everything()
    run = import_csv(
        "external_id,email,name,company,company.industry,stage,manager,title,status\n"
        "a,a@y.example,Ana Ruiz,New,Taxi,Customer,c,CFO,Inactive\nb,,,Old,Rail,Customer,,CEO,\n"
        "c,c@x.example,Cy,New,,partner,b,,\n",
        override_reason="Sure",
    )
    assert counts(run) == (1, 2, 0, 0)
    assert everything() != before
    undone = undo(run.change, by=actor("manager"))
    assert undone.kept == []
    assert everything() == before
    run.refresh_from_db()
    assert run.undone_at
    assert not Transition.objects.filter(change=run.change, undone_by=None).exists()


def test_a_dry_run_counts_and_changes_nothing(acme):
    import_csv("email,stage\nold@x.example,lead\n")
    before, entries = everything(), Entry.objects.count()
    text = "email,company,stage\nnew@x.example,Fleetly,\nold@x.example,Fleetly,\nold@x.example,,\nbad,,\n"
    run = import_csv(text, dry_run=True)
    assert (counts(run), run.state) == ((1, 1, 0, 2), ImportRun.State.PREVIEWED)
    assert (everything(), Entry.objects.count()) == (before, entries)


def test_an_import_that_is_stopped_keeps_whole_batches_and_can_go_on(acme, monkeypatch):
    from crm.kit.sqlite import courtesy
    from crm.lists.imports import running

    monkeypatch.setattr(running, "BATCH", {"postgresql": 10, "sqlite": 10})
    monkeypatch.setattr(courtesy.Pace, "batch", lambda self: courtesy.batch())  # always ten at once
    text = "email\n" + "".join(f"p{n}@x.example\n" for n in range(35))
    calls = []

    def stop(run):
        calls.append(run.line)
        if len(calls) == 2:
            raise KeyboardInterrupt

    import io

    file = io.BytesIO(text.encode())
    run = running.new_run("contact", file, "p.csv", by=system(acme.pk))
    run.save()
    with pytest.raises(KeyboardInterrupt):
        running.run_import(run, file, by=system(acme.pk, Channel.IMPORT), progress=stop)
    run.refresh_from_db()
    assert (run.state, run.line, run.created, Contact.objects.count()) == ("stopped", 21, 20, 20)
    assert counts(import_csv(text)) == (15, 0, 20, 0)


def test_somebody_who_takes_an_address_meanwhile_is_met_on_the_second_look(acme, monkeypatch):
    from contacts.imports import importer

    match, met = importer.match, []

    def late(rows, scratch, by):
        answer = match(rows, scratch, by)
        if not met:
            met.append(1)
            people = Contact.objects.filter(email_key="x")  # empty, to simulate the race
            assert not people
            answer = ([type(found)(found.row, None) for found in answer[0]], answer[1])
        return answer

    import_csv("email,title\na@x.example,CFO\n")
    monkeypatch.setattr(importer, "match", late)
    assert counts(import_csv("email,title\na@x.example,CEO\nb@x.example,CEO\n")) == (1, 1, 0, 0)
    assert Contact.objects.count() == 2


def test_every_row_of_a_damaged_file_is_counted(acme):
    import_csv("email,title\nold@x.example,CFO\nsame@x.example,CFO\n")
    run = import_csv(
        'email,title\na@x.example,"CFO\nb@x.example,CFO\nold@x.example,"the ""CEO"""\n,\nsame@x.example,CFO\nc,CFO\n'
    )
    assert counts(run) == (1, 1, 1, 2)
    assert (run.rows, run.notes[-1]) == (5, "Blank rows skipped: 1.")
    assert refusals(run)[2].startswith("The quotation marks in line 2 don’t match")
    assert not Contact.objects.filter(email_key="a@x.example").exists()
