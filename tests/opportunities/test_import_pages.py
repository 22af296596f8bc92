import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.lists.models import ImportRun
from crm.opportunities.models import Opportunity
from tests.factories import make_contact

pytestmark = pytest.mark.once

DEALS = (
    "External ID,Deal name,Contact email,Amount\n"
    "d1,Ruiz tracking,ana@fleetly.example,4800\nd2,Nobody's,bo@x.example,1\n"
)


def test_a_file_of_opportunities_is_mapped_tried_and_imported(acme, sign_in, cast, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    make_contact("Ana", email="ana@fleetly.example", owner=cast.rep)
    rep = sign_in("rep")
    assert "One row per opportunity" in rep.get("/opportunity/import").content.decode()
    rep.post("/opportunity/import", {"file": SimpleUploadedFile("deals.csv", DEALS.encode(), "text/csv")})
    run = ImportRun.objects.get()
    url, form = run.get_absolute_url(), {f"column_{column}": path for column, path in run.mapping}
    tried = rep.post(url, form | {"on_match": "update", "do": "try"}, follow=True).content.decode()
    assert "Preview ready" in tried and not Opportunity.objects.exists()
    report = rep.post(url, form | {"on_match": "update", "do": "import"}, follow=True).content.decode()
    assert "Import finished." in report and "View records" in report
    assert Opportunity.objects.get().contact.name == "Ana"
    assert b"bo@x.example" in b"".join(rep.get(f"{url}/refused").streaming_content)
