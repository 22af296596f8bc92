import pytest

import crm

pytestmark = pytest.mark.once


def test_healthz_says_ok_and_the_version_to_anybody_without_the_database(client):
    # No db fixture: a query would raise.
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.content.decode() == f"ok {crm.__version__}\n"
    assert response["Content-Type"] == "text/plain"
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies
