import json
import logging
import sys

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from crm.kit.logs import OneLine, RequestLog, impersonal, request_id

pytestmark = pytest.mark.once


def line(message, *args, error=None):
    record = logging.LogRecord("crm.test", logging.WARNING, __file__, 1, message, args, error)
    return OneLine().format(record)


def test_a_record_is_one_line_of_json():
    text = line("two\nlines %s", "here")
    assert "\n" not in text
    entry = json.loads(text)
    assert (entry["level"], entry["logger"], entry["message"]) == ("WARNING", "crm.test", "two lines here")
    assert entry["time"].endswith("Z")
    assert "request" not in entry


@pytest.mark.parametrize(
    "text, kept",
    [
        ("mail to ann.ruiz@example.com failed", "mail to [e-mail] failed"),
        ("Not Found: /contact?q=Ann", "Not Found: /contact?…"),
        ("what?", "what?"),
    ],
)
def test_addresses_and_query_strings_stay_out(text, kept):
    assert impersonal(text) == kept


def test_an_exception_keeps_its_place_and_loses_the_rows_values():
    try:
        raise ValueError("duplicate key\nDETAIL: Key (email)=(ann@example.com) already exists.")
    except ValueError:
        entry = json.loads(line("failed", error=sys.exc_info()))
    assert entry["error"].startswith("ValueError: duplicate key at ")
    assert "test_logs.py" in entry["error"]
    assert "ann" not in json.dumps(entry)


def test_every_line_within_a_request_carries_the_id_of_the_answer():
    seen = []

    def view(request):
        seen.append(json.loads(line("inside")))
        return HttpResponse()

    response = RequestLog(view)(RequestFactory().get("/"))
    assert seen[0]["request"] == response["X-Request-ID"]
    assert len(response["X-Request-ID"]) == 16
    assert request_id() == ""


def test_a_request_is_logged_by_its_route_not_by_what_was_typed(client, caplog):
    with caplog.at_level(logging.INFO, "crm.request"):
        client.get("/nowhere/ann@example.com?q=secret")
        client.get("/healthz")
    (message,) = [record.getMessage() for record in caplog.records if record.name == "crm.request"]
    assert message.startswith("GET /- 404 in ")
