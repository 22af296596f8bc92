"""An import outside any test transaction, as in production: its leads are restaged once, at its end."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from leads.models import Lead


@pytest.mark.django_db(transaction=True)
def test_an_import_moves_the_leads_that_it_scored_when_it_ends(acme, tmp_path):
    people, events = tmp_path / "people.csv", tmp_path / "events.csv"
    people.write_text("name,email,lead.fleet_size,lead.country\nAna,ana@x.example,300,DE\nBo,bo@x.example,3,\n")
    call_command("import_contacts", str(people), workspace="acme")
    assert dict(Lead.objects.values_list("contact__name", "score__fit")) == {"Ana": 60, "Bo": 5}
    yesterday = timezone.now() - timedelta(days=1)
    events.write_text(f"email,kind,occurred_at\nana@x.example,demo_request,{yesterday.isoformat()}\n")
    call_command("import_events", str(events), workspace="acme")
    found = Lead.objects.values_list("contact__name", "stage", "status")
    assert set(found) == {("Ana", "marketing_qualified", "working"), ("Bo", "top_of_funnel", "new")}
