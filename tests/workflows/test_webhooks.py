"""S14, S15: webhooks reach only the public internet, are signed, and are accepted once."""

import base64
import hmac
import http.server
import ipaddress
import json
import socket
import threading
import time
from contextlib import suppress

import pytest
from django.test import Client

from contacts.verbs.win import win
from crm.events.models import Delivery
from crm.kit import clock, outgoing
from crm.kit.errors import Refused
from crm.kit.networks import may_call
from crm.kit.outgoing import Unreachable, check_url
from crm.workflows import webhooks
from crm.workflows.models import Run, Workflow
from crm.workflows.verbs.rotate_secret import rotate_secret
from crm.workflows.webhooks import secret, send_webhook, signature, verify
from tests.factories import make_contact, rows
from tests.workflows.conftest import becomes, task

pytestmark = pytest.mark.once

INSIDE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::", "2001:0:53aa:64c:0:0:80ff:fffe",
    "2001:db8::1", "fc00::1", "fd12:3456::1", "fe80::1", "ff02::1", "100::1", "fec0::1", "feff::1", "3fff::1",
    "3fff:fff::1", "5f00::1", "100:0:0:1::1", "64:ff9b:1::808:808", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:1::1", "4000::1", "192.0.0.9", "192.88.99.1", "ff0e::1",
]  # fmt: skip
NO_ADDRESS = [
    "http://example.com/", "https://example.com:8443/", "https://user@example.com/", "https://a:b@example.com/",
    "ftp://example.com/", "file:///etc/passwd", "https:///path", "example.com", "https://exa mple.com/",
    "https://example.com:99999/", "https://ex\u00e4mple.com/", "gopher://example.com/", "javascript:alert(1)",
]  # fmt: skip
SPELLINGS = ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_called(address):
    assert not may_call(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_the_public_internet_is(address):
    assert may_call(ipaddress.ip_address(address))


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_public_https_address_is_refused_before_anything_is_resolved(url):
    with pytest.raises(Refused):
        check_url(url)


@pytest.mark.parametrize("host", SPELLINGS)
def test_every_spelling_of_this_machine_is_refused_when_it_is_called(host):
    with pytest.raises(Refused, match="can’t be sent to this network"):
        send_webhook(f"https://{host}/", Workflow(public_id="flow_a"), "id", {})


def test_one_private_answer_of_several_is_enough_to_refuse(monkeypatch):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answers)
    with pytest.raises(Refused):
        send_webhook("https://two.example/", Workflow(public_id="flow_a"), "id", {})


def test_the_address_that_was_looked_at_is_the_one_connected_to(monkeypatch):
    """A name that resolves publicly first and privately later is resolved once."""
    asked, connected = [], []

    def resolve(host, port, **kwargs):
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address, timeout=None, **kwargs):
        connected.append(address)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        send_webhook("https://rebinding.example/", Workflow(public_id="flow_a"), "id", {})
    assert (asked, connected) == (["rebinding.example"], [("93.184.216.34", 443)])


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers as the server configures, and records requests."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.came.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *args):
        """Silence the log."""


@pytest.fixture
def receiver(settings):
    """Run a local server with its network opened for the test."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.came, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_port}/hook?a=b"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.once
@pytest.mark.parametrize(
    ("scheme", "drips"),
    [
        ("http", b"H"),
        ("http", b"HTTP/1.1 200 OK\r\nx: y"),
        ("https", b"\x16\x03\x03\x40\x00"),
    ],
)
def test_a_receiver_that_drips_is_given_up_in_time(scheme, drips, settings, monkeypatch):
    """A byte every 50 ms: no read times out, in the handshake or in the headers."""
    monkeypatch.setattr(outgoing, "TIMEOUT", 0.3)
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server, drips, ended), daemon=True).start()
        started = time.monotonic()
        with pytest.raises(Unreachable, match="longer than"):
            send_webhook(f"{scheme}://127.0.0.1:{server.getsockname()[1]}/", Workflow(public_id="flow_a"), "id", {})
        assert time.monotonic() - started < 2
        assert ended.wait(5), "the connection was left open"


@pytest.mark.once
def test_the_body_of_an_answer_is_not_waited_for(settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server, b"HTTP/1.1 204 Fine\r\n\r\n", ended), daemon=True).start()
        assert (
            send_webhook(f"http://127.0.0.1:{server.getsockname()[1]}/", Workflow(public_id="flow_a"), "id", {}) == 204
        )
        assert ended.wait(5)


def drip(server: socket.socket, begins: bytes, ended: threading.Event) -> None:
    """Send these bytes, then single bytes until the client is gone."""
    peer, _ = server.accept()
    with peer, suppress(OSError):
        peer.sendall(begins)
        while not ended.wait(0.05):
            peer.sendall(b"x")
    ended.set()


@pytest.mark.once
def test_a_name_server_that_does_not_answer_holds_nobody_up(monkeypatch):
    monkeypatch.setattr(outgoing, "TIMEOUT", 0.2)
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answered.wait(5) and [])
    with pytest.raises(Unreachable, match="longer than"):
        send_webhook("https://slow.example/", Workflow(public_id="flow_a"), "id", {})
    answered.set()


def test_a_step_sends_the_record_signed(flow, engine, receiver, actor):
    workflow = flow(becomes("customer"), {"kind": "webhook", "url": receiver.url}, task())
    contact = make_contact("Ana Ruiz", stage="qualified")
    win(rows(contact), by=actor("manager"))
    (run,) = engine()
    ((headers, body),) = receiver.came
    assert run.status == "done"
    sent = json.loads(body)
    assert sent["record"]["id"] == contact.public_id
    assert sent["changes"]["new"]["lifecycle_stage"] == "customer"
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["webhook-id"] == f"{run.public_id}-0"
    key = base64.b64decode(secret(workflow, 1).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_what_fails_for_a_while_is_sent_again_under_the_same_id(flow, engine, receiver, actor):
    receiver.answers = [500, 429]
    flow(becomes("customer"), {"kind": "webhook", "url": receiver.url})
    win(rows(make_contact(stage="qualified")), by=actor("manager"))
    for _ in range(3):
        (run,) = engine()
        Delivery.objects.undone().update(due_at=clock.now())
    assert run.status == "done"
    assert run.steps.get().attempts == 3
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1


@pytest.mark.parametrize("status", [302, 400, 404])
def test_what_will_not_be_taken_stops_the_run_and_no_redirect_is_followed(flow, engine, receiver, actor, status):
    receiver.answers = [status]
    flow(becomes("customer"), {"kind": "webhook", "url": receiver.url})
    win(rows(make_contact(stage="qualified")), by=actor("manager"))
    (run,) = engine()
    assert (run.status, run.reason, len(receiver.came)) == ("failed", f"The server responded with {status}.", 1)


def test_an_address_that_is_closed_again_is_not_called(flow, engine, receiver, actor, settings):
    flow(becomes("customer"), {"kind": "webhook", "url": receiver.url})
    settings.WEBHOOK_NETWORKS = []
    win(rows(make_contact(stage="qualified")), by=actor("manager"))
    (run,) = engine()
    assert run.status == "failed"
    assert not receiver.came


# Incoming.


@pytest.fixture
def listening(flow):
    return flow({"kind": "webhook", "entity": "contact"}, task(), condition="title = CEO")


def call(workflow, content, *, message="msg_1", at=None, generation=1, **headers):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    at = int(time.time()) if at is None else at
    signed = {
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": signature(workflow, generation, message, at, body),
    }
    return Client().post(
        f"/hooks/{workflow.public_id}", body, content_type="application/json", headers=signed | headers
    )


def test_a_signed_message_begins_a_run_once(listening, engine):
    contact = make_contact(title="CEO", email="ana@x.example", external_id="77")
    for content in ({"record": contact.public_id}, {"email": "ANA@x.example"}, {"external_id": "77"}):
        assert call(listening, content, message=f"id of {content}").status_code == 202
        assert call(listening, content, message=f"id of {content}").status_code == 202
    runs = engine()
    assert [(run.record_id, run.event, run.status) for run in runs] == [(contact.pk, "webhook", "done")] * 3


def test_what_is_not_signed_old_or_changed_is_refused(listening):
    content = {"record": make_contact(title="CEO").public_id}
    assert call(listening, content, **{"webhook-signature": "v1,AAAA"}).status_code == 401
    assert call(listening, content, **{"webhook-signature": ""}).status_code == 401
    assert call(listening, content, at=int(time.time()) - 360).status_code == 401
    assert call(listening, content, at=int(time.time()) + 360).status_code == 401
    assert call(listening, content, **{"webhook-id": "another"}).status_code == 401
    for moment in ("9" * 16, "9" * 5000, "-1", "1e9", "²", "", "٣"):
        assert call(listening, content, **{"webhook-timestamp": moment}).status_code == 401, moment[:20]
    assert Client().post(f"/hooks/{listening.public_id}", "{}", content_type="application/json").status_code == 401
    assert Client().post("/hooks/flow_000000000", "{}", content_type="application/json").status_code == 401
    assert not Run.objects.exists()


def test_what_makes_no_sense_is_told_so(listening):
    assert call(listening, b"no json").status_code == 422
    assert call(listening, b"[" * 5000).status_code == 422
    assert call(listening, {"record": "contact_000000000"}).status_code == 422
    assert call(listening, {"record": make_contact(title="CFO").public_id}).status_code == 422
    assert call(listening, {"nothing": 1}).status_code == 422
    assert call(listening, b" " * (64 * 1024 + 1)).status_code == 413


def test_two_secrets_hold_while_the_other_side_changes_over(listening, actor):
    content = {"record": make_contact(title="CEO").public_id}
    for generation, allowed in ((2, [1, 2]), (3, [2, 3])):
        rotate_secret(listening, by=actor("admin"))
        taken = [n for n in (1, 2, 3, 4) if call(listening, content, generation=n).status_code == 202]
        assert taken == allowed
        assert Workflow.objects.get().generation == generation


def test_a_known_message_and_its_signature(acme, flow, monkeypatch):
    """The example of the Standard Webhooks specification."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    monkeypatch.setattr(webhooks, "_key", lambda workflow, generation: key)
    body = b'{"test": 2432232314}'
    known = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(Workflow(), 1, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == known
    monkeypatch.setattr(time, "time", lambda: 1614265330)
    headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330"}
    assert verify(Workflow(), headers | {"webhook-signature": f"v1,bad {known}"}, body)
