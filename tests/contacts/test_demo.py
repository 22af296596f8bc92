"""The demo year, at any size."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from contacts.demo import History
from contacts.management.commands.load_demo import load
from contacts.models import Activity, Company, Contact
from crm.kit.scope import in_workspace
from crm.lists.models import SavedView
from crm.users.models import Membership, Workspace
from crm.workflows.models import Workflow
from leads.models import Lead, Score


@pytest.mark.parametrize("people", [0, 1, 8, 12])
def test_a_small_workspace_has_its_year_too(people, acme, cast):
    members = {name: getattr(cast, name) for name in ("rep", "mate", "outsider", "manager", "admin")}
    History(members, people=people, companies=1, seed=2).write()
    twins = Contact.objects.filter(merged_into__isnull=False).count()
    assert Contact.objects.count() - twins == people
    assert Company.objects.count() == 1


def test_a_workspace_with_one_who_sells(cast):
    with in_workspace(cast.globex):
        History({"rep": cast.globex_rep, "admin": cast.globex_admin}, people=20, companies=3, seed=2).write()
        assert Contact.objects.live().filter(owner=cast.globex_rep).count() >= 20


@pytest.mark.once
@pytest.mark.django_db
def test_the_demo_is_plausible():
    load(people=150, companies=60)
    with in_workspace(Workspace.objects.get(slug="acme")):
        called = Lead.objects.filter(contact_by__isnull=False, created_at__lt=timezone.now() - timedelta(days=2))
        in_time = called.filter(contacted_at__lte=F("contact_by")).count()
        assert 0.5 < in_time / called.count() < 0.97
        scores = Score.objects.filter(lead__in=Lead.objects.open()).values_list("score_tenths", flat=True)
        assert len({score // 100 for score in scores}) >= 5  # tens of points
        assert max(Counter(score for score in scores if score >= 600).values(), default=0) <= 3
        due = Counter(Activity.objects.filter(kind="task", status="pending").values_list("due_at", flat=True))
        assert len(due) > sum(due.values()) / 2
        assert Workflow.objects.filter(enabled=True).count() == 2
        assert SavedView.objects.filter(member=None).count() == 3
        manager = Membership.objects.get(role="manager")
        assert Activity.objects.filter(kind="task", status="pending", assignee=manager).count() >= 5
        client = Client()
        client.force_login(manager.user)
        home = client.get("/").text
        assert "Hottest leads" in home and "You’re all caught up." not in home
