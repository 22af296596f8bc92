"""What an undo keeps: later changes with their dependents, and values no longer valid."""

import pytest

from audit.undo.hooks import KeptRecord
from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.churn import churn
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from contacts.verbs.qualify import qualify
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit.errors import Refused
from crm.lifecycle.models import Transition
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.create import create as open_opportunity
from crm.opportunities.verbs.move_stage import move_stage
from crm.opportunities.verbs.win import win
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from leads.models import Lead
from tests.factories import make_company, make_contact, make_field, make_opportunity, rows

TOUCHED = "The record has changed since then."
TIERS = [{"value": "gold", "label": "Gold"}, {"value": "silver", "label": "Silver"}]


def won_and_dated(opportunity):
    opportunity.refresh_from_db()
    return opportunity.stage, opportunity.won_at is not None, opportunity.probability


@pytest.fixture
def unit(acme, actor):
    """Return a change that qualifies a contact, creates two opportunities and wins both."""
    contact, by = make_contact("UU", email="b@flip.example"), actor("manager")
    qualify(rows(contact), by=by)
    made = open_opportunity([{"name": name, "contact": contact, "owner": None} for name in ("One", "Two")], by=by).done
    win(Opportunity.objects.filter(pk__in=made), by=by)
    one, two = Opportunity.objects.order_by("pk")
    return contact, one, two, by.change


class TestAsOne:
    def test_a_won_opportunity_that_was_edited_since_stays_won_and_its_contact_a_customer(self, unit, actor):
        contact, one, two, change = unit
        edit(rows(one), {"amount": 1500}, by=actor("manager"))
        undone = undo(change, by=actor("manager"))
        assert won_and_dated(one) == ("won", True, 1)
        assert not Opportunity.objects.filter(pk=two.pk).exists()
        assert Contact.objects.get().lifecycle_stage == "customer"
        assert ("opportunity", one.pk, TOUCHED) in undone.kept
        assert ("contact", contact.pk, "Lifecycle stage was kept because of later changes.") in undone.kept
        counted = Transition.objects.filter(record_id=contact.pk, entity="contact", undone_by__isnull=False)
        assert not counted.exists()

    def test_nothing_touched_nothing_kept(self, unit, actor):
        *_, change = unit
        assert undo(change, by=actor("manager")).kept == []
        assert not Opportunity.objects.exists()
        assert Contact.objects.get().lifecycle_stage == "lead"

    def test_moves_of_opportunities_stay_with_the_move_of_their_contact(self, acme, actor):
        contact, by = make_contact("Ana", stage="qualified"), actor("manager")
        deal = make_opportunity("Deal", contact=contact)
        edit(rows(deal), {"name": "Vans"}, by=by)
        win(rows(deal), by=by)
        churn(rows(contact), by=actor("manager"))
        undone = undo(by.change, by=actor("manager"))
        assert won_and_dated(deal) == ("won", True, 1)
        assert (deal.name, Contact.objects.get().lifecycle_stage) == ("Deal", "churned")
        assert undone.kept == [
            KeptRecord("contact", contact.pk, "Lifecycle stage was changed again afterwards."),
            KeptRecord("opportunity", deal.pk, "Stage was kept because of later changes."),
        ]

    def test_a_part_of_a_move_that_cannot_go_back_keeps_its_dates(self, acme, actor):
        """Its stage was moved and moved back since: the win date belongs to the stage."""
        deal = make_opportunity("Deal", contact=make_contact("Ana", stage="customer"))
        by = actor("manager")
        move_stage(rows(deal), to="negotiation", by=by)
        win(rows(deal), by=actor("manager"))
        with pytest.raises(Refused, match="Stage was changed again afterwards"):
            undo(by.change, by=actor("manager"))
        assert won_and_dated(deal) == ("won", True, 1)

    def test_other_contacts_of_the_change_are_put_back(self, acme, actor):
        ana, bo, by = make_contact("Ana"), make_contact("Bo"), actor("manager")
        qualify(rows(ana, bo), by=by)
        churned = make_opportunity("Deal", contact=ana)
        win(rows(churned), by=actor("manager"))
        undo(by.change, by=actor("manager"))
        assert dict(Contact.objects.values_list("name", "lifecycle_stage")) == {"Ana": "customer", "Bo": "lead"}

    def test_a_record_that_stays_keeps_all_that_the_change_did_to_it(self, acme, actor):
        by = actor("manager")
        pk = create([{"name": "Ana", "email": "ana@x.example"}], by=by).done[0]
        edit(Contact.objects.filter(pk=pk), {"title": "CFO"}, by=by)
        qualify(Contact.objects.filter(pk=pk), by=by)
        leads = Lead.objects.count()
        edit(Contact.objects.filter(pk=pk), {"phone": "1"}, by=actor("manager"))
        with pytest.raises(Refused, match="The record has changed since then"):
            undo(by.change, by=actor("manager"))
        assert Contact.objects.values_list("title", "lifecycle_stage").get() == ("CFO", "qualified")
        assert Lead.objects.count() == leads

    def test_so_does_one_that_others_point_to(self, acme, actor):
        by = actor("manager")
        pk = create([{"name": "Boss", "email": "boss@x.example"}], by=by).done[0]
        qualify(Contact.objects.filter(pk=pk), by=by)
        make_contact("Report", manager=Contact.objects.get(pk=pk))
        with pytest.raises(Refused, match="Other records are linked to it"):
            undo(by.change, by=actor("manager"))
        assert Contact.objects.get(pk=pk).lifecycle_stage == "qualified"
        assert Lead.objects.filter(contact=pk).exists()


class TestValid:
    """Values the edit form would reject are not restored."""

    def kept(self, by, actor):
        return [(each.entity, each.why) for each in undo(by.change, by=actor("manager")).kept]

    def test_an_option_that_was_removed(self, acme, actor):
        tier = make_field("tier", "select", choices=TIERS)
        contact, by = make_contact(tier="gold", title="CEO"), actor("manager")
        edit(rows(contact), {"tier": "silver", "title": ""}, by=by)
        tier.choices = TIERS[1:]
        save_custom_field(tier, by=actor("admin"))
        assert self.kept(by, actor) == [("contact", "Tier: “gold” is no longer an option.")]
        assert Contact.objects.values_list("custom", "title").get() == ({"tier": "silver"}, "CEO")

    def test_one_of_several_options(self, acme, actor):
        tags = make_field("tags", "multi_select", choices=TIERS)
        contact, by = make_contact(tags=["gold", "silver"]), actor("manager")
        edit(rows(contact), {"tags": ["silver"]}, by=by)
        tags.choices = TIERS[1:]
        save_custom_field(tags, by=actor("admin"))
        with pytest.raises(Refused, match="Tags: “gold” is no longer an option"):
            undo(by.change, by=actor("manager"))

    def test_a_field_that_was_archived(self, acme, actor):
        tier = make_field("tier", "select", choices=TIERS)
        contact, by = make_contact(tier="gold", title="CEO"), actor("manager")
        edit(rows(contact), {"tier": "silver", "title": ""}, by=by)
        archive_custom_field(tier, by=actor("admin"))
        assert self.kept(by, actor) == [("contact", "Tier is no longer a field.")]

    def test_an_owner_who_is_no_longer_a_member(self, acme, cast, actor):
        contact, by = make_contact(owner=cast.mate), actor("manager")
        assign(rows(contact), cast.rep.pk, by=by, team=None)
        type(cast.mate).objects.filter(pk=cast.mate.pk).update(is_active=False)
        with pytest.raises(Refused, match="Owner was someone who is no longer an active member"):
            undo(by.change, by=actor("manager"))
        assert Contact.objects.get().owner == cast.rep

    def test_a_record_that_went_to_the_trash_unless_the_undo_restores_it(self, acme, actor):
        metro, contact = make_company("Metro"), make_contact("Ana", title="CEO")
        edit(rows(contact), {"company": metro.pk}, by=actor("manager"))
        by = actor("manager")
        edit(rows(contact), {"company": None, "title": ""}, by=by)
        trashed = actor("manager")
        delete(rows(metro), by=trashed, reason="Closed")
        assert self.kept(by, actor) == [("contact", "Company was a record that is in the trash.")]
        undo(trashed.change, by=actor("manager"))
        both = actor("manager")
        other = create_company([{"name": "Nordic"}], by=actor("manager")).done[0]
        edit(rows(contact), {"company": other}, by=actor("manager"))
        edit(rows(contact), {"company": None}, by=both)
        delete(type(metro).objects.filter(pk=other), by=both, reason="Closed")
        assert self.kept(both, actor) == []
        assert Contact.objects.get().company_id == other
