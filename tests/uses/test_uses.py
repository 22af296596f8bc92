"""Settings that refer to fields, options and views block their removal; invalid ones are skipped and reported."""

import io
import json
from html import unescape

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.urls import reverse

from contacts.models import Contact
from crm.anomalies.detect import detect
from crm.anomalies.kinds import ANOMALY_KINDS
from crm.anomalies.models import Finding
from crm.entities.models import CustomField
from crm.entities.uses import (
    all_referring_models,
    all_setting_uses,
    field_target,
    option_target,
    refuse_breaking_changes,
    used_by,
    view_target,
)
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.entities.versions import bump_schema
from crm.events.engine import drain
from crm.kit import clock
from crm.kit.errors import InUse
from crm.lists.models import SavedView
from crm.lists.verbs.save_view import save_view
from crm.users.models import Owned
from crm.workflows.jobs import keep_time
from crm.workflows.models import Run
from leads.models import Lead
from tests.contacts.files import counts, import_csv
from tests.factories import make_contact, make_field
from tests.installed import legacy_leads
from tests.uses.made import BLOCKING, BREAKS, GOLD, SETTINGS, SILVER, break_settings, make_settings


@pytest.fixture
def settings_of_tier(acme, cast, actor, sign_in, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return make_settings(cast, actor, sign_in)


def finder(storer: str, made) -> str:
    """Return the prefix of a setting's label."""
    return next(use.label for use in all_setting_uses() if (use.kind, use.pk) == (storer, made.pk))


def removed(field):
    field.choices = [SILVER]
    return field


@pytest.mark.parametrize("change", ["remove", "archive"])
def test_what_settings_use_is_refused_with_all_their_names_and_links(settings_of_tier, actor, sign_in, change):
    field, by = CustomField.objects.get(key="tier"), actor("admin")
    with pytest.raises(InUse) as refused:
        save_custom_field(removed(field), by=by) if change == "remove" else archive_custom_field(field, by=by)
    named = dict(refused.value.uses)
    labels = {finder(storer, getattr(settings_of_tier, storer)) for storer in BLOCKING}
    assert named.keys() == labels
    admin = sign_in("admin")
    assert {admin.get(url).status_code for url in named.values()} == {200}
    kept = CustomField.objects.get(key="tier")
    assert (kept.archived_at, kept.choices) == (None, [GOLD, SILVER])
    assert not [use.label for use in all_setting_uses() if use.problem()]


def test_the_settings_pages_say_who_uses_what(settings_of_tier, sign_in):
    admin, url = sign_in("admin"), f"/settings/fields/{settings_of_tier.field.pk}/"
    for page in (admin.get("/settings/fields/?entity=contact"), admin.get(url)):
        shown = " ".join(page.content.decode().split())
        for made in (settings_of_tier.assignment_rule, settings_of_tier.scoring_model):
            assert made.name in shown
        assert 'href="/settings/assignment/' in shown and "(Gold)" in shown
    options = {"option-0-value": "gold", "option-0-label": "", "option-1-value": "silver", "option-1-label": "Silver"}
    form = {"label": "Tier", "option-TOTAL_FORMS": 2, "option-INITIAL_FORMS": 2}
    refused = admin.post(url, form | options).content.decode()
    assert "Can’t remove “Gold” from Tier." in refused
    assert f'href="/settings/assignment/{settings_of_tier.assignment_rule.pk}/"' in refused
    told = admin.post(f"{url}archive/", follow=True).content.decode()
    assert "Can’t archive the field “Tier”." in told and "Only Gold" in told
    assert CustomField.objects.get(key="tier").archived_at is None


def test_a_view_is_not_deleted_or_changed_into_no_segment_while_it_is_one(settings_of_tier, actor, sign_in):
    by = actor("manager")
    with pytest.raises(InUse, match="Campaign “Spring”"):
        save_view("contact", "Golden", by=by, condition="owner = me", slug="golden", shared=True)
    response = sign_in("manager").post("/contact/view/golden/delete")
    assert response.status_code == 409
    assert f'href="{settings_of_tier.campaign.get_absolute_url()}"' in response.content.decode()
    assert SavedView.objects.get(slug="golden").condition == "tier = gold"
    assert used_by()[view_target("contact", "golden")]


def test_what_a_member_keeps_and_what_is_off_does_not_hold_the_workspace_up(acme, actor):
    field = make_field("tier", "select", choices=[GOLD, SILVER])
    save_view("contact", "Mine", by=actor("rep"), condition="tier = Gold")
    save_view("contact", "Ours", by=actor("manager"), columns=("name", "tier"), sort="tier", shared=True)
    labels = {use.label for use in used_by()[field_target("contact", "tier")]}
    assert labels == {"Contacts: view of Rep", "Contacts: view “Ours”"}
    assert [use.label for use in used_by()[option_target("contact", "tier", "gold")]] == ["Contacts: view of Rep"]
    archive_custom_field(field, by=actor("admin"))
    assert [use.label for use in all_setting_uses() if use.problem()] == ["Contacts: view of Rep"]


def test_a_label_may_change_for_settings_are_stored_by_key(settings_of_tier, actor):
    field = CustomField.objects.get(key="tier")
    field.label, field.choices = "Level", [GOLD | {"label": "Oro"}, SILVER]
    save_custom_field(field, by=actor("admin"))
    assert not [use.label for use in all_setting_uses() if use.problem()]


def test_every_storer_is_broken_below():
    assert {storer.name for storer in all_referring_models()} == SETTINGS.keys()


@pytest.mark.parametrize("how", BREAKS)
def test_a_setting_that_cannot_be_read_fails_nobody_s_request(settings_of_tier, cast, actor, sign_in, how):
    made, rep, admin = settings_of_tier, sign_in("rep"), sign_in("admin")
    contact = make_contact("Cem Kaya", owner=cast.rep)
    break_settings(how)
    # New records: assignment, scoring, workflows.
    assert rep.post("/contact/new", {"name": "Ada Lim", "email": "ada@x.example"}).status_code == 302
    assert counts(import_csv("Name,E-mail\nBo,bo@x.example\nDov,dov@x.example\n")) == (2, 0, 0, 0)
    assert Lead.objects.count() == Contact.objects.count() == 4
    drain()
    keep_time(clock.now())
    assert not Run.objects.filter(status=Run.Status.FAILED).exists()
    # The stage requirement is skipped, with a note on the page.
    page = unescape(rep.get(contact.get_absolute_url()).content.decode())
    assert "The stage requirement “Only Gold” isn’t checked" in page
    assert rep.post(reverse("contact_move", args=[contact.public_id, "qualify"]), {"reason": ""}).status_code == 302
    assert Contact.objects.get(pk=contact.pk).lifecycle_stage == "qualified"
    # Scores.
    out = io.StringIO()
    call_command("recalculate_scores", "--full", "--json", workspace="acme", stdout=out)
    assert json.loads(out.getvalue().splitlines()[-1])["leads"] == 4
    lead = Lead.objects.get(contact=contact)
    for url in (
        "/",
        "/contact?view=all",
        "/contact?view=golden",
        "/contact?view=all&columns=name,tier",
        "/qualification",
        "/qualification/board",
        lead.get_absolute_url(),
        f"{lead.get_absolute_url()}/score",
        f"{contact.get_absolute_url()}/edit",
        f"/lifecycle/contact/lifecycle_stage/of/{contact.public_id}",
        "/dashboard?parts=all",
        "/dashboard?parts=all&where=tier+%3D+Gold&split=tier",
        "/contact/import",
        made.import_run.get_absolute_url(),
        "/exceptions",
        "/search?q=cem",
    ):
        assert rep.get(url).status_code == 200, url
    for url in (
        "/campaign",
        f"{made.campaign.get_absolute_url()}/send",
        f"{made.campaign.get_absolute_url()}/edit",
        "/settings/assignment/",
        "/settings/workflows/",
        f"{made.workflow.get_absolute_url()}edit/",
        f"{made.workflow.get_absolute_url()}preview/",
        "/settings/workflows/prerequisites/",
        "/lifecycle",
        "/settings/fields/",
    ):
        assert admin.get(url).status_code == 200, url


@pytest.mark.parametrize("how", BREAKS)
def test_it_is_shown_where_it_is_edited_and_is_an_exception(settings_of_tier, sign_in, how):
    break_settings(how)
    uses = {use.kind: use for use in all_setting_uses() if use.problem()}
    assert uses.keys() == SETTINGS.keys() - {"import_run"}  # deleted columns are mapped to nothing
    clients = {"subscription": sign_in("rep")}
    for storer in sorted(uses.keys() - {"custom_field"}):
        page = unescape(clients.get(storer, sign_in("admin")).get(uses[storer].url).content.decode())
        assert uses[storer].problem() in page, storer
    detect(ANOMALY_KINDS["setting_unreadable"])
    found = set(Finding.objects.filter(kind="setting_unreadable").values_list("evidence", flat=True))
    assert found == {uses[storer].problem() for storer in (*BLOCKING, "custom_field")}
    shown = unescape(sign_in("manager").get("/exceptions?kind=setting_unreadable").content.decode())
    assert all(uses[storer].url in shown for storer in BLOCKING)
    assert "Only Gold" not in sign_in("rep").get("/exceptions").content.decode()


def test_the_exception_goes_when_the_setting_can_be_read_again(settings_of_tier):
    kind = ANOMALY_KINDS["setting_unreadable"]
    break_settings("field archived")
    detect(kind)
    assert Finding.objects.filter(kind=kind.name).count() == len(BLOCKING) + 1
    CustomField.objects.filter(key="tier").update(archived_at=None)
    CustomField.objects.filter(key="partner").update(target="company")
    bump_schema()
    detect(kind)
    assert not Finding.objects.filter(kind=kind.name).exists()


def test_a_change_that_breaks_nothing_new_is_not_held_up_by_what_was_broken_before(settings_of_tier):
    break_settings("option gone")
    with refuse_breaking_changes("Can't do it."):
        pass


# Column names that suggest a condition, a list or a text with placeholders.
TELLING = {"columns", "condition", "criteria", "entry", "exit", "filter", "mapping", "query", "rules", "segment"}
TELLING |= {"sort", "steps", "trigger", "where"}
# Columns that could store references but don't.
OTHERS = {
    **(legacy_leads.NO_REFERENCES if legacy_leads else {}),
    "contacts.Contact.address_rows": "the contact's own addresses",
    "dashboards.Layout.parts": "names of parts, which are code",
    "leads.AssignmentRule.people": "members",
    "leads.FirstContactTerms.days": "days of the week",
    "leads.Turn.last": "members",
    "lists.ImportRefusal.cells": "cells of a file",
    "lists.ImportRun.header": "cells of a file",
    "lists.ImportRun.notes": "sentences",
    "notifications.Preference.channels": "kinds of notification, which are code",
    "users.IdentityProvider.domains": "domains",
    "workflows.Run.seen": "values of a record",
    "workflows.StepRun.seen": "values of a record",
}


def suspects():
    """Return model.column of all columns that could hold a condition or field key, except records' own values."""
    for model in apps.get_models():
        if issubclass(model, Owned) and not model._meta.label.startswith("language."):
            for column in model._meta.concrete_fields:
                if column.name in TELLING or (isinstance(column, models.JSONField) and column.name != "custom"):
                    yield f"{model._meta.label}.{column.name}"


def test_a_column_that_stores_references_belongs_to_a_storer():
    known = {f"{storer.model}.{column}" for storer in all_referring_models() for column in storer.fields}
    assert set(suspects()) - known == OTHERS.keys()
    for storer in all_referring_models():
        assert set(storer.fields) <= {column.name for column in apps.get_model(storer.model)._meta.fields}
