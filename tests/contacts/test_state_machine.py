"""R17: any sequence of actions on contacts, and of undos, leaves consistent data."""

from types import SimpleNamespace

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Activity, Contact, ContactAddress
from contacts.moves import VERBS
from contacts.verbs.capture import capture
from contacts.verbs.create import create
from contacts.verbs.log import log
from contacts.verbs.merge import merge
from contacts.verbs.override import override
from contacts.verbs.set_status import set_status
from crm.kit.actor import Channel
from crm.kit.errors import DomainError
from crm.lifecycle.models import Transition
from crm.records.verbs.assign import assign
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from tests.budget import examples
from tests.replay import replay, snapshot

# DESIGN 1.1, copied by hand: (from, to, verb); override and merge bypass it.
LEGAL = {
    ("", "lead", "create"),
    ("", "lead", "capture"),
    ("lead", "qualified", "qualify"),
    ("lead", "lost", "lose"),
    ("qualified", "lost", "lose"),
    ("qualified", "customer", "win"),
    ("customer", "churned", "churn"),
    ("lead", "partner", "partner"),
    ("qualified", "partner", "partner"),
    ("customer", "partner", "partner"),
    ("lost", "lead", "reopen"),
    ("churned", "lead", "reopen"),
}
STAGES = ("lead", "qualified", "customer", "lost", "churned", "partner")
STATUSES = ("active", "inactive", "bounced", "unsubscribed")
AXES = ("lifecycle_stage", "status")

who = st.sampled_from(["rep", "mate", "outsider", "manager"])
place = st.integers(0, 5)
places = st.lists(place, min_size=1, max_size=3)
email = st.sampled_from(["", "a@x.example", "A@X.example", "b@x.example", "c@x.example"])
# Addresses beyond the first, and what is done to the first: (field, value).
address = st.sampled_from(
    [
        ("other_emails", ""),
        ("other_emails", "home: b@x.example\nwork: A@x.example"),
        ("other_emails", "c@x.example"),
        ("email_label", "work"),
        ("phone", ""),
        ("mobile", "3"),
        ("mobile", ""),
        ("phone_label", "mobile"),
        ("other_phones", "mobile: 4\n1"),
        ("other_phones", ""),
    ]
)
value = st.sampled_from(
    [("title", "CFO"), ("title", ""), ("phone", "1"), ("first_name", "Ana"), ("name", ""), ("name", "Bo")]
)


class Contacts(RuleBasedStateMachine):
    """Every rule is one user action; refusals are valid if they write nothing."""

    cast: SimpleNamespace

    @initialize()
    def begin(self):
        self.changes = []
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.started = snapshot()
        self.last = getattr(Entry.objects.order_by("id").last(), "pk", 0)

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def act(self, name, run):
        by = getattr(self.cast, name).actor(Channel.WEB)
        try:
            with transaction.atomic():
                run(by)
            self.changes.append(by.change)
        except DomainError:
            assert not Entry.objects.filter(change=by.change).exists()
            assert not Transition.objects.filter(change=by.change).exists()

    def some(self, chosen):
        ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
        return Contact.objects.filter(pk__in={ids[n % len(ids)] for n in chosen} if ids else [])

    @rule(name=who, email=email, boss=st.none() | place)
    def create(self, name, email, boss):
        manager = self.some([boss]).live().first() if boss is not None else None
        self.act(name, lambda by: create([{"name": "New", "email": email, "manager": manager}], by=by))

    @rule(name=who, emails=st.lists(email, min_size=1, max_size=3))
    def capture(self, name, emails):
        people = [{"name": "Caught", "email": each, "phone": "2"} for each in emails]
        self.act(name, lambda by: capture(people, by=by, source="Chat"))

    @rule(name=who, chosen=places, value=value)
    def edit(self, name, chosen, value):
        self.act(name, lambda by: edit(self.some(chosen), dict([value]), by=by))

    @rule(name=who, chosen=place, email=email)
    def edit_email(self, name, chosen, email):
        self.act(name, lambda by: edit(self.some([chosen]), {"email": email}, by=by))

    @rule(name=who, chosen=place, address=address)
    def edit_addresses(self, name, chosen, address):
        self.act(name, lambda by: edit(self.some([chosen]), dict([address]), by=by))

    @rule(name=who, email=email, other=email)
    def capture_several(self, name, email, other):
        people = [{"name": "Several", "email": email, "other_emails": other}]
        self.act(name, lambda by: capture(people, by=by, source="Chat"))

    @rule(name=who, chosen=place, boss=place)
    def report(self, name, chosen, boss):
        self.act(name, lambda by: edit(self.some([chosen]), {"manager": self.some([boss]).first()}, by=by))

    @rule(name=who, chosen=places, verb=st.sampled_from(sorted(VERBS)))
    def move(self, name, chosen, verb):
        self.act(name, lambda by: VERBS[verb](self.some(chosen), by=by, reason="because"))

    @rule(name=who, chosen=places, to=st.sampled_from(STAGES))
    def override(self, name, chosen, to):
        self.act(name, lambda by: override(self.some(chosen), to=to, by=by, reason="because"))

    @rule(name=who, chosen=places, to=st.sampled_from(STATUSES))
    def set_status(self, name, chosen, to):
        self.act(name, lambda by: set_status(self.some(chosen), to, by=by))

    @rule(name=who, chosen=places, owner=who, team=st.sampled_from(["iberia", "nordics", None]))
    def assign(self, name, chosen, owner, team):
        team = getattr(self.cast, team) if team else None
        self.act(name, lambda by: assign(self.some(chosen), getattr(self.cast, owner), by=by, team=team))

    @rule(name=who, chosen=place)
    def log(self, name, chosen):
        contact = self.some([chosen]).first()
        self.act(name, lambda by: log([{"kind": "task", "subject": "T", "contact_id": contact and contact.pk}], by=by))

    @rule(name=who, survivor=place, chosen=places)
    def merge(self, name, survivor, chosen):
        kept = self.some([survivor]).first()
        if kept:
            self.act(name, lambda by: merge(kept, self.some(chosen), by=by))

    @rule(name=who, chosen=places)
    def delete(self, name, chosen):
        self.act(name, lambda by: delete(self.some(chosen), by=by, reason="because"))

    @rule(name=who, chosen=places)
    def restore(self, name, chosen):
        self.act(name, lambda by: restore(self.some(chosen), by=by))

    @rule(name=who, place=st.integers(0, 30))
    def undo(self, name, place):
        if self.changes:
            change = self.changes[-1 - place % len(self.changes)]
            self.act(name, lambda by: undo(change, by=by))

    @invariant()
    def moves_are_legal(self):
        done = Transition.objects.filter(axis="lifecycle_stage").exclude(verb__in=["override", "merge"])
        assert set(done.values_list("from_value", "to_value", "verb")) <= LEGAL

    @invariant()
    def transitions_form_a_chain_that_ends_where_the_contact_stands(self):
        for axis in AXES:
            chains: dict[int, list[tuple[str, str]]] = {}
            for row in Transition.objects.filter(entity="contact", axis=axis, undone_by__isnull=True).order_by("id"):
                chains.setdefault(row.record_id, []).append((row.from_value, row.to_value))
            stands = dict(Contact.objects.values_list("pk", axis))
            assert {pk: chain[-1][1] for pk, chain in chains.items()} == stands
            for chain in chains.values():
                assert [step[0] for step in chain] == ["", *(step[1] for step in chain[:-1])]

    @invariant()
    def the_log_tells_the_present(self):
        found = Entry.objects.filter(id__gt=self.last).order_by("id")
        assert replay(self.started, found) == snapshot()

    @invariant()
    def every_address_of_a_live_contact_has_its_row(self):
        rows = ContactAddress.objects.all()
        kept = {(row.contact_id, row.kind, row.position): (row.value, row.label) for row in rows}
        assert kept == {
            (contact.pk, kind, position): (value, label)
            for contact in Contact.objects.live()
            for kind, position, _key, value, label in contact.address_rows
        }

    @invariant()
    def the_first_addresses_are_in_fields_of_their_own(self):
        for contact in Contact.objects.live():
            emails = contact.addresses.filter(kind="email").order_by("position")
            phones = contact.addresses.filter(kind="phone").order_by("position")
            first = [emails.first(), phones.exclude(label="mobile").first(), phones.filter(label="mobile").first()]
            assert [contact.email, contact.phone, contact.mobile] == [each.value if each else "" for each in first]
            assert [contact.email_key] == [each.key for each in emails[:1]] or not contact.email

    @invariant()
    def an_email_belongs_to_one_live_contact(self):
        keys = list(ContactAddress.objects.filter(kind="email").values_list("key", flat=True))
        assert len(keys) == len(set(keys))

    @invariant()
    def what_is_derived_is_up_to_date(self):
        for contact in Contact.objects.select_related("company"):
            names = ("name", "name_key", "email_key", "search_text", "address_rows")
            kept = {name: getattr(contact, name) for name in names}
            contact.derive()
            assert kept == {name: getattr(contact, name) for name in kept}

    @invariant()
    def nobody_reports_to_themselves(self):
        above = dict(Contact.objects.values_list("pk", "manager"))
        for pk in above:
            chain, boss = {pk}, above[pk]
            while boss:
                assert boss not in chain
                chain.add(boss)
                boss = above[boss]

    @invariant()
    def whoever_was_merged_is_in_the_trash(self):
        assert not Contact.objects.live().filter(merged_into__isnull=False).exists()
        assert not Activity.objects.filter(contact__merged_into__isnull=False).exists()


@pytest.mark.django_db
def test_the_books_balance(acme, cast):
    machine = type("ContactsOfTheCast", (Contacts,), {"cast": cast})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples(8),
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
