"""R14 in the browser: two users open the same form without losing changes."""

from html import unescape

import pytest
from django.forms import MultipleChoiceField

from contacts.models import Contact
from crm.entities.models import CustomField
from crm.entities.versions import bump_schema
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.users.models import Membership
from tests.factories import make_company, make_contact, make_field, rows

pytestmark = pytest.mark.once


def opened(client, url) -> dict[str, object]:
    """Return the form's data at `url` without changes."""
    response = client.get(url)
    assert response.status_code == 200
    return sent(response)


def sent(response) -> dict[str, object]:
    """Return the forms' values in a response, from Django's bound fields, hidden base included."""
    context = response.context
    values: dict[str, object] = {}
    for form in (context["form"], context["base"]):
        for bound in form:
            value = bound.value()
            if isinstance(bound.field, MultipleChoiceField):
                values[bound.html_name] = list(value or [])
            else:
                shown = bound.field.widget.format_value(value)
                values[bound.html_name] = (shown[0] if isinstance(shown, list) and shown else shown) or ""
    return values


def url(contact) -> str:
    return f"{contact.get_absolute_url()}/edit"


@pytest.fixture
def two(sign_in):
    """Return two users who may both edit."""
    return sign_in("manager"), sign_in("admin")


@pytest.fixture
def contact(acme, cast):
    make_field("fleet_size", "number")
    make_field("tags", "multi_select", choices=[{"value": v, "label": v.title()} for v in ("vip", "slow")])
    return make_contact("Ana Ruiz", owner=cast.rep, company=make_company("Metro"), notes="one\ntwo", fleet_size="5")


def test_a_form_sent_as_it_was_changes_nothing(contact, two):
    first, _ = two
    before = Contact.objects.values().get()
    assert first.post(url(contact), opened(first, url(contact))).status_code == 302
    assert Contact.objects.values().get() == before


def test_different_fields_merge(contact, two):
    first, second = two
    one, other = opened(first, url(contact)), opened(second, url(contact))
    assert first.post(url(contact), one | {"title": "CFO", "tags": ["vip"]}).status_code == 302
    assert second.post(url(contact), other | {"phone": "1", "fleet_size": "9"}).status_code == 302
    contact.refresh_from_db()
    assert (contact.title, contact.phone, contact.custom) == ("CFO", "1", {"fleet_size": 9, "tags": ["vip"]})


@pytest.fixture
def conflict(contact, two):
    """Both values are shown: title and fleet size were set by both, the source only by the first."""
    first, second = two
    one, other = opened(first, url(contact)), opened(second, url(contact))
    first.post(url(contact), one | {"title": "CFO", "fleet_size": "7", "source": "Webinar"})
    return second.post(url(contact), other | {"title": "CEO", "fleet_size": "9", "phone": "1"})


def test_the_same_field_is_a_conflict_with_both_values_and_nothing_is_overwritten(contact, conflict):
    assert conflict.status_code == 409
    shown = {row["field"].key: (row["yours"], row["theirs"]) for row in conflict.context["conflicts"]}
    assert shown == {"title": ("CEO", "CFO"), "fleet_size": ("9", "7")}
    page = unescape(conflict.content.decode())
    assert 'name="keep-title" value="theirs"' in page
    contact.refresh_from_db()
    assert (contact.title, contact.phone, contact.custom["fleet_size"]) == ("CFO", "", 7)


def test_then_mine_is_saved_over_theirs_and_what_they_did_besides_stays(contact, conflict, two):
    answer = sent(conflict) | {"keep-title": "mine", "keep-fleet_size": "mine"}
    assert two[1].post(url(contact), answer).status_code == 302
    contact.refresh_from_db()
    assert (contact.title, contact.custom["fleet_size"], contact.phone) == ("CEO", 9, "1")
    assert contact.source == "Webinar"


def test_or_theirs_is_kept_for_one_of_them(contact, conflict, two):
    answer = sent(conflict) | {"keep-title": "theirs", "keep-fleet_size": "mine"}
    assert two[1].post(url(contact), answer).status_code == 302
    contact.refresh_from_db()
    assert (contact.title, contact.custom["fleet_size"], contact.phone) == ("CFO", 9, "1")


def test_a_third_change_meanwhile_is_a_conflict_again(contact, conflict, two):
    edit(rows(contact), {"title": "COO"}, by=Membership.objects.get(user__email="rep@acme.example").actor("web"))
    response = two[1].post(url(contact), sent(conflict) | {"keep-title": "mine"})
    assert response.status_code == 409
    assert [row["theirs"] for row in response.context["conflicts"]] == ["COO"]


def test_what_is_not_touched_is_not_checked(contact, cast, actor, two):
    """With the company in the trash and a former owner."""
    delete(rows(contact.company), by=actor("manager"), reason="closed")
    Membership.objects.filter(pk=cast.rep.pk).update(is_active=False)
    assert two[0].post(url(contact), opened(two[0], url(contact)) | {"title": "CFO"}).status_code == 302


def test_a_move_goes_with_the_edit_or_not_at_all(contact, two):
    values = opened(two[0], url(contact)) | {"title": "CFO"}
    response = two[0].post(url(contact), values | {"move": "partner", "reason": ""})
    assert response.status_code == 422
    assert "Enter a reason" in response.content.decode()
    contact.refresh_from_db()
    assert (contact.title, contact.lifecycle_stage) == ("", "lead")
    two[0].post(url(contact), values | {"move": "qualify"})
    contact.refresh_from_db()
    assert (contact.title, contact.lifecycle_stage) == ("CFO", "qualified")


@pytest.mark.parametrize(
    "who, offered", [("rep", {"qualify", "lose", "partner"}), ("manager", {"qualify", "lose", "partner"})]
)
def test_the_form_offers_the_moves_of_the_table(who, offered, contact, sign_in):
    response = sign_in(who).get(url(contact))
    assert {offer.move.verb for offer in response.context["moves"]} == offered


class TestOneField:
    @staticmethod
    def at(contact, key="title"):
        return f"{contact.get_absolute_url()}/field/{key}"

    @pytest.mark.parametrize(
        "key, theirs, mine, kept",
        [("title", "CFO", "CEO", "CEO"), ("fleet_size", "7", "9", 9), ("owner", "mate", "manager", "manager")],
    )
    def test_theirs_is_shown_by_name_and_saving_again_replaces_it(
        self, key, theirs, mine, kept, contact, cast, actor, two
    ):
        if key == "owner":
            theirs, mine = str(cast.mate.pk), str(cast.manager.pk)
        values = opened(two[0], self.at(contact, key))
        edit(rows(contact), {key: theirs if key != "owner" else int(theirs)}, by=actor("manager"))
        response = two[0].post(self.at(contact, key), values | {key: mine})
        assert response.status_code == 409
        shown = {"title": "CFO", "fleet_size": "7", "owner": "Mate"}[key]
        assert f"Someone changed this to “{shown}”" in unescape(response.content.decode())
        before = Contact.objects.get(pk=contact.pk)
        assert str(before.custom["fleet_size"] if key == "fleet_size" else getattr(before, key)) == shown
        assert two[0].post(self.at(contact, key), sent(response)).status_code == 302
        after = Contact.objects.get(pk=contact.pk)
        found = {"title": after.title, "fleet_size": after.custom["fleet_size"], "owner": str(after.owner).lower()}
        assert found[key] == kept

    def test_htmx_is_shown_the_form_again(self, contact, actor, two):
        values = opened(two[0], self.at(contact))
        edit(rows(contact), {"title": "CFO"}, by=actor("manager"))
        response = two[0].post(self.at(contact), values | {"title": "CEO"}, headers={"HX-Request": "true"})
        assert response.status_code == 422  # htmx ignores any other 4xx
        assert "Someone changed this to" in response.content.decode()

    def test_bad_input_is_said_beside_the_field(self, contact, two):
        values = opened(two[0], self.at(contact)) | {"title": "T" * 121}
        response = two[0].post(self.at(contact), values)
        assert response.status_code == 422
        assert "Title can have up to 120 characters." in response.content.decode()

    def test_a_field_that_cannot_be_edited_has_no_form(self, contact, two):
        for key in ("lifecycle_stage", "last_activity", "nothing"):
            assert two[0].get(self.at(contact, key)).status_code == 404


class TestValuesThatAreNoLongerValid:
    """Invalid hidden values never block a save, and visible ones are kept until changed."""

    @pytest.fixture
    def stale(self, acme, cast):
        """Return a contact with a removed option and a former owner."""
        choices = [{"value": v, "label": v.title()} for v in ("gold", "silver")]
        make_field("tier", "select", choices=choices)
        make_field("perks", "multi_select", choices=choices)
        contact = make_contact(
            "Ana", tier="gold", perks=["gold", "silver"], owner=cast.mate, linkedin_url="https://x.example"
        )
        for field in CustomField.objects.all():
            CustomField.objects.filter(pk=field.pk).update(choices=choices[1:])
        bump_schema()
        Membership.objects.filter(pk=cast.mate.pk).update(is_active=False)
        Contact.objects.filter(pk=contact.pk).update(linkedin_url="no address")
        return contact

    def held(self):
        return Contact.objects.values_list("title", "custom", "owner").get()

    def test_another_field_is_saved_and_they_stay(self, stale, sign_in, cast):
        client = sign_in("manager")
        form = opened(client, url(stale)) | {"title": "CFO", "linkedin_url": "https://y.example"}
        assert client.post(url(stale), form).status_code == 302
        assert self.held() == ("CFO", {"tier": "gold", "perks": ["gold", "silver"]}, cast.mate.pk)

    def test_they_can_be_replaced_in_the_form_and_in_place(self, stale, sign_in, cast):
        client = sign_in("manager")
        form = opened(client, url(stale)) | {"tier": "silver", "owner": str(cast.rep.pk), "linkedin_url": ""}
        assert client.post(url(stale), form).status_code == 302
        in_place = f"{stale.get_absolute_url()}/field/perks"
        assert client.post(in_place, opened(client, in_place) | {"perks": ["silver"]}).status_code == 302
        assert self.held() == ("", {"tier": "silver", "perks": ["silver"]}, cast.rep.pk)

    def test_somebody_else_s_change_meanwhile_is_a_conflict(self, stale, sign_in):
        client = sign_in("manager")
        form = opened(client, url(stale)) | {"tier": "silver", "linkedin_url": ""}
        Contact.objects.filter(pk=stale.pk).update(custom={"tier": "bronze", "perks": ["gold", "silver"]})
        answer = client.post(url(stale), form)
        assert answer.status_code == 409
        assert "at the same time" in answer.content.decode()
        assert self.held()[1]["tier"] == "bronze"

    def test_what_does_not_fit_is_marked(self, stale, sign_in):
        client = sign_in("manager")
        answer = client.post(url(stale), opened(client, url(stale)) | {"title": "CFO"})
        assert answer.status_code == 422
        assert answer.context["form"].errors.keys() == {"linkedin_url"}
