"""A workspace's own pipelines and stages: created, changed, archived, and everything that works in them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.undo.undo import undo
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.dashboards.parts.stuck import limits, overdue
from crm.entities.schema import schema
from crm.entities.versions import lock_settings
from crm.kit import clock
from crm.kit.errors import InUse, Invalid, NotAllowed, Refused
from crm.kit.translation import speak
from crm.lifecycle.definitions import definitions
from crm.lifecycle.verbs.save_definition import save_definition
from crm.lists.verbs.save_view import save_view
from crm.opportunities import pipelines
from crm.opportunities.axes import STAGE
from crm.opportunities.models import Opportunity, Pipeline, PipelineStage
from crm.opportunities.verbs.archive_pipeline import archive_pipeline
from crm.opportunities.verbs.archive_stage import archive_stage
from crm.opportunities.verbs.change_pipeline import change_pipeline
from crm.opportunities.verbs.create import create
from crm.opportunities.verbs.create_pipeline import create_pipeline
from crm.opportunities.verbs.lose import lose
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.reopen import reopen
from crm.opportunities.verbs.restore_pipeline import restore_pipeline
from crm.opportunities.verbs.restore_stage import restore_stage
from crm.opportunities.verbs.save_pipeline import StageRow, save_pipeline
from crm.opportunities.verbs.win import win
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from crm.workflows.steps.records import verbs
from tests.factories import make_field, make_opportunity, rows


@pytest.fixture
def renewals(acme, actor) -> Pipeline:
    return create_pipeline("Renewals", template="renewals", by=actor("admin"))


def stage(key: str) -> PipelineStage:
    return PipelineStage.objects.get(key=key)


def as_rows(pipeline: str = "sales") -> list[StageRow]:
    names = ("key", "label", "kind", "probability", "tone", "is_for_converted", "expected_days")
    return [StageRow(**{name: getattr(each, name) for name in names}) for each in pipelines.stages(pipeline=pipeline)]


def found(text: str) -> set[str]:
    rows = Opportunity.objects.filter(parse(text, "opportunity").expression(Viewer(None, None), clock.now()))
    return set(rows.values_list("name", flat=True))


def test_a_new_pipeline_has_the_stages_of_its_template_and_keys_that_are_free(renewals, actor):
    again = create_pipeline("Renewals 2", template="renewals", by=actor("admin"))
    first = [each.key for each in pipelines.stages(pipeline=renewals.key)]
    second = [each.key for each in pipelines.stages(pipeline=again.key)]
    assert first == ["renewal_upcoming", "renewal_in_discussion", "renewal_verbal", "renewed", "renewal_lost"]
    assert not {*first} & {*second} and len(second) == 5
    assert [each.kind for each in pipelines.stages(pipeline=again.key)] == ["open"] * 3 + ["won", "lost"]


@pytest.mark.parametrize(
    ("name", "sentence"), [("", "Enter a name."), ("sales", "already exists"), ('a"b', "can’t contain")]
)
def test_a_name_that_cannot_be_used_is_refused(acme, actor, name, sentence):
    with pytest.raises(Invalid, match=sentence):
        create_pipeline(name, by=actor("admin"))


def test_only_admins_change_pipelines(acme, actor):
    for change in (
        lambda by: create_pipeline("Other", by=by),
        lambda by: save_pipeline(pipelines.default_pipeline(), name="X", stages=as_rows(), by=by),
        lambda by: archive_stage(stage("proposal"), to="negotiation", by=by),
        lambda by: archive_pipeline(pipelines.default_pipeline(), by=by),
    ):
        with pytest.raises(NotAllowed):
            change(actor("manager"))


def test_stages_are_renamed_reordered_and_added_and_records_keep_theirs(acme, actor):
    deal = make_opportunity("A", stage="proposal")
    prospecting, qualification, proposal, negotiation, won, lost = as_rows()
    offer = StageRow(key=proposal.key, label="Offer", probability=proposal.probability, tone="red")
    fresh = StageRow(label="Legal review", probability=negotiation.probability, tone="blue")
    shown = [offer, prospecting, fresh, qualification, negotiation, won, lost]
    save_pipeline(pipelines.default_pipeline(), name="Direct sales", stages=shown, by=actor("admin"))
    labels = [str(choice.label) for choice in schema("opportunity").field("stage").choices]
    assert labels == ["Offer", "Prospecting", "Legal review", "Qualification", "Negotiation", "Won", "Lost"]
    assert move_stage(rows(deal), to="legal_review", by=actor("manager")).done == [deal.pk]
    assert found("stage = Legal review") == {"A"}
    assert found("pipeline = Direct sales") == {"A"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"label": "Prospecting"}, "Two stages are named"),
        ({"label": " "}, "Enter a name."),
        ({"label": "New", "probability": 2}, "between 0% and 100%"),
        ({"label": "New", "tone": "pink"}, "Choose a color"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(acme, actor, change, sentence):
    with pytest.raises(Invalid, match=sentence):
        save_pipeline(
            pipelines.default_pipeline(), name="S", stages=[*as_rows(), StageRow(**change)], by=actor("admin")
        )


def test_moves_go_by_outcome_within_the_pipeline(renewals, actor):
    sale, renewal = make_opportunity("A"), make_opportunity("B")
    by = actor("manager")
    change_pipeline(rows(renewal), to="renewal_verbal", by=by)
    renewal.refresh_from_db()
    assert (renewal.pipeline, renewal.stage, str(renewal.probability)) == ("renewals", "renewal_verbal", "0.9000")
    refused = move_stage(rows(sale, renewal), to="proposal", by=actor("manager")).refused
    assert refused == {renewal.pk: "Proposal is a stage of Sales. This record is in Renewals."}
    assert win(rows(sale, renewal), by=actor("manager")).done == [renewal.pk, sale.pk]
    assert dict(Opportunity.objects.values_list("name", "stage")) == {"A": "won", "B": "renewed"}
    assert reopen(rows(sale, renewal), by=actor("manager"), reason="Mistake").done == [renewal.pk, sale.pk]
    assert dict(Opportunity.objects.values_list("name", "stage")) == {"A": "negotiation", "B": "renewal_verbal"}
    lose(rows(sale, renewal), by=actor("manager"), reason="Price")
    assert dict(Opportunity.objects.values_list("name", "stage")) == {"A": "lost", "B": "renewal_lost"}


def test_a_move_to_another_pipeline_is_undone_with_its_stage(renewals, actor):
    deal = make_opportunity("A", stage="proposal")
    by = actor("manager")
    change_pipeline(rows(deal), to="renewal_upcoming", by=by)
    undo(by.change, by=actor("manager"))
    deal.refresh_from_db()
    assert (deal.pipeline, deal.stage, str(deal.probability)) == ("sales", "proposal", "0.5000")


def test_a_label_means_every_stage_that_has_it_and_the_outcome_is_a_field(renewals, actor):
    labeled = [*as_rows("renewals")[:-1], StageRow(label="Proposal"), as_rows("renewals")[-1]]
    save_pipeline(renewals, name="Renewals", stages=labeled, by=actor("admin"))
    make_opportunity("A", stage="proposal")
    make_opportunity("B", stage="won")
    renewal = make_opportunity("C")
    change_pipeline(rows(renewal), to="proposal_2", by=actor("manager"))
    assert found("stage = Proposal") == {"A", "C"}
    assert found("stage = Proposal and pipeline = Renewals") == {"C"}
    assert found("stage != Proposal") == {"B"}
    assert found("stage.kind = open") == found("stage_kind = open") == {"A", "C"}
    assert found("stage.kind in (won, lost)") == {"B"}


@pytest.mark.parametrize(
    "facts", [{"stage": "renewed"}, {"stage_kind": "won"}, {"pipeline": "renewals"}, {"stage": "no"}]
)
def test_the_database_keeps_a_stage_inside_its_pipeline_and_outcome(renewals, facts):
    deal = make_opportunity()
    with pytest.raises(IntegrityError), transaction.atomic():
        Opportunity.objects.filter(pk=deal.pk).update(**facts)
        connection.check_constraints()


def test_archiving_a_stage_moves_its_opportunities_and_one_undo_takes_all_back(acme, actor):
    deals = [make_opportunity(f"D{n}", stage="proposal") for n in range(3)]
    Opportunity.objects.filter(pk=deals[2].pk).update(deleted_at=deals[2].created_at)  # in the trash
    by = actor("admin")
    assert archive_stage(stage("proposal"), to="negotiation", by=by) == 3
    assert set(Opportunity.objects.values_list("stage", "probability")) == {("negotiation", 0.75)}
    assert "proposal" not in [choice.value for choice in schema("opportunity").field("stage").choices]
    with pytest.raises(Invalid):
        move_stage(rows(deals[0]), to="proposal", by=actor("manager"))
    undone = undo(by.change, by=actor("manager"))
    assert undone.reverted == 3 and undone.kept == []
    assert set(Opportunity.objects.values_list("stage", "probability")) == {("proposal", 0.5)}
    assert move_stage(rows(deals[0]), to="qualification", by=actor("manager")).done == [deals[0].pk]


def test_the_last_stage_of_an_outcome_stays(acme, actor):
    with pytest.raises(Refused, match="at least one open, one won and one lost stage"):
        archive_stage(stage("won"), to="lost", by=actor("admin"))
    with pytest.raises(Invalid):
        archive_stage(stage("proposal"), to="won", by=actor("admin"))


def test_what_refers_to_a_stage_is_named_before_it_is_archived(acme, actor):
    save_view("opportunity", "Proposals", condition="stage = proposal", by=actor("admin"), shared=True)
    with pytest.raises(InUse, match="Can’t archive the stage “Proposal”"):
        archive_stage(stage("proposal"), to="negotiation", by=actor("admin"))
    assert stage("proposal").archived_at is None


def test_a_stage_and_a_pipeline_are_restored(renewals, actor):
    archive_stage(stage("renewal_verbal"), to="renewal_upcoming", by=actor("admin"))
    restore_stage(stage("renewal_verbal"), by=actor("admin"))
    assert "renewal_verbal" in [each.key for each in pipelines.stages()]
    archive_pipeline(renewals, by=actor("admin"))
    assert [each.key for each in pipelines.pipelines()] == ["sales"]
    assert "renewal_verbal" not in [each.key for each in pipelines.stages()]
    restore_pipeline(renewals, by=actor("admin"))
    assert "renewal_verbal" in [each.key for each in pipelines.stages()]


def test_a_pipeline_with_open_opportunities_or_the_default_one_stays(renewals, actor):
    deal = make_opportunity()
    change_pipeline(rows(deal), to="renewal_upcoming", by=actor("manager"))
    with pytest.raises(Refused, match="Move its open opportunities"):
        archive_pipeline(renewals, by=actor("admin"))
    with pytest.raises(Refused, match="Make another pipeline the default"):
        archive_pipeline(pipelines.default_pipeline(), by=actor("admin"))
    win(rows(deal), by=actor("manager"))
    archive_pipeline(renewals, by=actor("admin"))
    deal.refresh_from_db()
    assert (deal.stage, deal.stage_kind) == ("renewed", "won")


def test_what_was_closed_in_an_archived_pipeline_stays_closed(renewals, actor, sign_in):
    deal, trashed = make_opportunity("A"), make_opportunity("B")
    change_pipeline(rows(deal, trashed), to="renewal_upcoming", by=actor("manager"))
    won, deleted = actor("manager"), actor("manager")
    win(rows(deal), by=won)
    delete(rows(trashed), by=deleted, reason="Duplicate")
    archive_pipeline(renewals, by=actor("admin"))
    why = "The pipeline “Renewals” is archived. Restore it first."
    assert reopen(rows(deal), by=actor("manager"), reason="Mistake").refused == {deal.pk: why}
    assert restore(rows(trashed), by=actor("manager")).refused == {trashed.pk: why}
    with pytest.raises(Refused):
        undo(won.change, by=actor("manager"))
    with pytest.raises(Refused, match="The pipeline “Renewals” is archived"):
        undo(deleted.change, by=actor("manager"))
    assert "There’s no stage in use to move to." in sign_in("manager").get(deal.get_absolute_url()).content.decode()
    restore_pipeline(renewals, by=actor("admin"))
    assert undo(won.change, by=actor("manager")).kept == []
    assert restore(rows(trashed), by=actor("manager")).done == [trashed.pk]


def test_an_undo_puts_nothing_back_to_a_stage_that_was_archived_since(acme, actor):
    deal, by = make_opportunity(stage="proposal"), actor("manager")
    move_stage(rows(deal), to="negotiation", by=by)
    archive_stage(stage("proposal"), to="prospecting", by=actor("admin"))
    with pytest.raises(Refused, match="The stage “Proposal” is archived"):
        undo(by.change, by=actor("manager"))
    restore_stage(stage("proposal"), by=actor("admin"))
    assert undo(by.change, by=actor("manager")).kept == []


def test_an_undo_keeps_the_pipeline_of_a_stage_that_changed_since(renewals, actor):
    deal, by = make_opportunity(), actor("manager")
    change_pipeline(rows(deal), to="renewal_upcoming", by=by)
    move_stage(rows(deal), to="renewal_verbal", by=actor("manager"))
    with pytest.raises(Refused, match="was changed again afterwards"):
        undo(by.change, by=actor("manager"))
    connection.check_constraints()
    deal.refresh_from_db()
    assert (deal.pipeline, deal.stage) == ("renewals", "renewal_verbal")


def test_archiving_the_stage_for_converted_leads_is_undone_with_that(acme, actor):
    make_opportunity(stage="qualification")
    by = actor("admin")
    archive_stage(stage("qualification"), to="proposal", by=by)
    assert pipelines.stage_for_converted().key == "prospecting"
    undo(by.change, by=actor("manager"))
    assert pipelines.stage_for_converted().key == "qualification"


def test_a_stored_condition_means_its_stage_when_another_takes_the_name(acme, actor):
    shown = [StageRow(key=row.key, label="Offer") if row.key == "proposal" else row for row in as_rows()]
    save_pipeline(pipelines.default_pipeline(), name="S", stages=[*shown, StageRow("proposal")], by=actor("admin"))
    make_opportunity("A", stage="proposal")
    make_opportunity("B", stage="proposal_2")
    assert found("stage = proposal") == found("stage = Offer") == {"A"}
    assert found("stage = Proposal") == found("stage = proposal_2") == {"B"}
    for text in ("stage = proposal", "stage = proposal_2"):
        condition = parse(text, "opportunity")
        assert parse(condition.label_text, "opportunity").key_text == condition.key_text == text


def test_a_new_default_takes_new_opportunities_and_converted_leads(renewals, actor):
    save_pipeline(renewals, name="Renewals", stages=as_rows("renewals"), make_default=True, by=actor("admin"))
    assert make_opportunity().stage == "renewal_upcoming"
    assert pipelines.stage_for_converted().key == "renewal_upcoming"
    assert Pipeline.objects.get(is_default=True).key == "renewals"


def test_the_board_has_one_pipeline_and_the_total_of_all(renewals, actor, sign_in):
    make_opportunity("Sale", amount="100")
    renewal = make_opportunity("Renewal", amount="50")
    change_pipeline(rows(renewal), to="renewal_verbal", by=actor("manager"))
    page = sign_in("manager").get("/opportunity/board?view=all").content.decode()
    assert 'data-column="proposal"' in page and 'data-column="renewal_verbal"' not in page
    assert "Sale" in page and "All pipelines:" in page and "€150" in page
    page = sign_in("manager").get("/opportunity/board?view=all&pipeline=renewals").content.decode()
    assert 'data-column="renewal_verbal"' in page and 'data-column="proposal"' not in page
    assert f"/opportunity/{renewal.public_id}" in page


def test_an_admin_sets_a_process_up_in_the_browser(acme, sign_in):
    admin = sign_in("admin")
    assert admin.post("/settings/pipelines/", {"name": "Onboarding", "template": ""}).status_code == 302
    page = admin.get("/settings/pipelines/onboarding/").content.decode()
    acme.refresh_from_db()
    keys = [each.key for each in pipelines.stages(pipeline="onboarding")]
    data = {"name": "Onboarding", "stage-TOTAL_FORMS": 5, "stage-INITIAL_FORMS": 3, "converted": keys[0]}
    texts = [(keys[0], "Kickoff", "10"), (keys[1], "Live", "100"), (keys[2], "Stopped", "0"), ("", "Training", "40")]
    for number, (key, label, probability) in enumerate(texts):
        data |= {f"stage-{number}-key": key, f"stage-{number}-label": label, f"stage-{number}-tone": "blue"}
        data |= {f"stage-{number}-probability": probability, f"stage-{number}-kind": "open" if not key else ""}
    data |= {"stage-0-ORDER": 1, "stage-1-ORDER": 3, "stage-2-ORDER": 4, "stage-3-ORDER": 2}
    assert "Probability of stage 1" in page
    assert admin.post("/settings/pipelines/onboarding/", data).status_code == 302
    acme.refresh_from_db()
    assert [each.label for each in pipelines.stages(pipeline="onboarding")] == [
        "Kickoff",
        "Training",
        "Live",
        "Stopped",
    ]
    page = sign_in("manager").get("/opportunity/new").content.decode()
    assert '<optgroup label="Onboarding">' in page and "Training" in page
    page = admin.get("/settings/pipelines/onboarding/training/archive/").content.decode()
    assert "Kickoff" in page and "Live" not in page.split("<form")[-1]
    assert admin.post("/settings/pipelines/onboarding/training/archive/", {"to": keys[0]}).status_code == 302
    assert "Archived stages" in admin.get("/settings/pipelines/onboarding/").content.decode()
    assert admin.post("/settings/pipelines/onboarding/archive/").status_code == 302
    assert "Archived pipelines" in admin.get("/settings/pipelines/").content.decode()


def test_archiving_a_stage_is_one_action_on_its_page_and_undone_by_one(acme, sign_in):
    deals = [make_opportunity(stage="proposal") for _ in range(12)]
    admin = sign_in("admin")
    page = admin.post("/settings/pipelines/sales/proposal/archive/", {"to": "negotiation"}, follow=True)
    [undo_url] = re.findall(r'action="(/undo/[0-9a-f-]{36})"', page.content.decode())
    assert Opportunity.objects.filter(stage="negotiation").count() == len(deals)
    undone = admin.post(undo_url, follow=True).content.decode()
    assert "Undone. 12 changes reverted." in undone
    assert Opportunity.objects.filter(stage="proposal").count() == len(deals)
    assert stage("proposal").archived_at is None


def test_the_dashboards_of_pipelines_agree_with_their_lists(renewals, actor, sign_in):
    make_opportunity("Sale", amount="100")
    renewal = make_opportunity("Renewal", amount="50")
    change_pipeline(rows(renewal), to="renewal_verbal", by=actor("manager"))
    page = sign_in("manager").get("/dashboard/part/pipeline").content.decode()
    assert "Renewals" in page and "All pipelines" in page and "€150" in page


def test_workflows_offer_the_stages_of_every_pipeline(renewals):
    labels = [str(label) for label, _ in verbs("opportunity").values()]
    assert "Move to Renewals: Renewed" in labels and "Move to Sales: Proposal" in labels


def test_the_expected_days_of_a_stage_are_set_with_it_and_say_what_is_stuck(acme, actor, sign_in):
    """One truth: the settings of the pipeline; the stage's definition shows them."""
    late, _fresh = (make_opportunity(name, stage="proposal") for name in ("Late", "Fresh"))
    Opportunity.objects.filter(pk=late.pk).update(stage_since=clock.now() - timedelta(days=15))
    shown = [replace(row, expected_days=14) if row.key == "proposal" else row for row in as_rows()]
    save_pipeline(pipelines.default_pipeline(), name="Sales", stages=shown, by=actor("admin"))
    assert definitions(STAGE)["proposal"].expected_days == 14
    admin = sign_in("admin")
    form = admin.get("/settings/pipelines/sales/").content.decode()
    assert re.search(r'value="14"\s+inputmode="numeric"\s+aria-label="Expected days in stage 3"', form)
    page = admin.get("/lifecycle/opportunity/stage/proposal").content.decode()
    assert 'value="14"' in page and "Set the expected time in stage under Settings → Pipelines." in page
    words = {"meaning": "Sent", "entry": "amount is not empty", "exit": "next_step is not empty", "expected_days": 99}
    save_definition(STAGE, "proposal", words, by=actor("admin"))
    assert definitions(STAGE)["proposal"].expected_days == 14
    assert limits(STAGE, ["proposal"], definitions(STAGE)) == {"proposal": 14}
    assert found(overdue(STAGE, "proposal", 14)) == {"Late"}
    with pytest.raises(Invalid, match="1 to 3,650 days"):
        bad = [replace(row, expected_days=0) for row in shown]
        save_pipeline(pipelines.default_pipeline(), name="Sales", stages=bad, by=actor("admin"))


def test_texts_of_templates_are_in_the_readers_language(renewals, actor):
    with speak("de"):
        assert str(pipelines.label_of(pipelines.stage("proposal"))) != "Proposal"
    assert stage("proposal").label == "Proposal"


def test_a_field_is_required_from_a_stage_on(acme, actor, sign_in):
    contract = make_field("contract", "text", "Contract", entity="opportunity", required_from=["proposal"])
    deal = make_opportunity("A")
    by = actor("manager")
    assert move_stage(rows(deal), to="qualification", by=by).done == [deal.pk]
    refused = move_stage(rows(deal), to="negotiation", by=actor("manager")).refused
    assert refused == {deal.pk: "Enter “Contract” before moving to Negotiation."}
    assert win(rows(deal), by=actor("manager")).refused == {deal.pk: "Enter “Contract” before moving to Won."}
    assert "Enter “Contract” before moving to Won." in sign_in("manager").get(deal.get_absolute_url()).content.decode()
    edit(rows(deal), {"contract": "C-1"}, by=actor("manager"))
    assert move_stage(rows(deal), to="proposal", by=actor("manager")).done == [deal.pk]
    cleared = edit(rows(deal), {"contract": ""}, by=actor("manager"))
    assert cleared.refused == {deal.pk: "Contract is required at this stage."}
    with pytest.raises(Invalid, match="Contract is required"):
        create([{"name": "B", "contact": deal.contact}], by=actor("manager"), stage="proposal")
    with pytest.raises(InUse, match="Can’t archive the stage “Proposal”"):
        archive_stage(stage("proposal"), to="negotiation", by=actor("admin"))
    assert lose(rows(make_opportunity("C")), by=actor("manager"), reason="Price").done
    assert contract.required_from == ["proposal"]


@pytest.mark.postgres
def test_others_go_on_saving_while_settings_are_locked(acme, actor):
    """New rows of any kind lock the key of the workspace's row, which a plain FOR UPDATE would withhold."""
    with CaptureQueriesContext(connection) as captured:
        lock_settings(actor("admin"))
    assert "FOR NO KEY UPDATE" in captured.captured_queries[-1]["sql"]
