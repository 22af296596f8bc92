"""Webhooks, outgoing and incoming, signed per Standard Webhooks and sent only to the public internet.

Outgoing: the name is resolved once, all its addresses are checked, and the connection uses a checked address, so that a
changed DNS answer cannot redirect it. No redirects, https on port 443; networks in WEBHOOK_NETWORKS, opened by an
operator, also allow http and other ports.

Why: docs/decisions/0018-webhooks-to-the-public-internet.md
"""

import base64
import hmac
import http.client
import ipaddress
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from crm.kit import formats
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.workflows.models import Workflow
from crm.workflows.networks import may_call

TIMEOUT = 10.0  # seconds for the whole request
LARGEST = 64 * 1024  # bytes of an incoming message
WINDOW = 300  # seconds of tolerated clock difference


class Unreachable(Exception):
    """The receiver failed to respond properly; to be retried."""


def secret(workflow: Workflow, generation: int) -> str:
    """Return a webhook secret for display: whsec_…, derived from SECRET_KEY, stored in no table."""
    return f"whsec_{base64.b64encode(_key(workflow, generation)).decode()}"


def _key(workflow: Workflow, generation: int) -> bytes:
    name = f"{workflow.public_id} {generation}"
    return salted_hmac("crm.workflows.webhooks", name, algorithm="sha256").digest()


def generations(workflow: Workflow) -> list[int]:
    """Return the valid secrets' generations: the current one and, for the changeover, the previous one."""
    return [number for number in (workflow.generation, workflow.generation - 1) if number > 0]


def signature(workflow: Workflow, generation: int, message: str, timestamp: int, body: bytes) -> str:
    """Return v1,<base64> over id, time and body."""
    signed = f"{message}.{timestamp}.".encode() + body
    digest = hmac.digest(_key(workflow, generation), signed, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def verify(workflow: Workflow, headers: Mapping[str, str], body: bytes) -> str:
    """Return the id of a message signed with one of the workflow's secrets within the window.

    Raises Refused with a message for the sender's developer.
    """
    message, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message or len(message) > 80 or not re.fullmatch("[0-9]{1,15}", timestamp):
        raise Refused(_("Send the headers webhook-id, webhook-timestamp and webhook-signature."))
    if abs(time.time() - int(timestamp)) > WINDOW:
        raise Refused(_("The timestamp is off by more than five minutes."))
    known = [signature(workflow, number, message, int(timestamp), body) for number in generations(workflow)]
    given = headers.get("webhook-signature", "").split(" ")[:5]
    # Every pair is compared, so that timing reveals no match.
    if not sum(constant_time_compare(mine, theirs) for mine in known for theirs in given):
        raise Refused(_("The signature does not match."))
    return message


def check_url(url: str) -> SplitResult:
    """Return the parts of an allowed URL. Raises Refused with a message; its addresses are checked on connection."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused(_("Enter a valid URL.")) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or not url.isascii() or any(map(str.isspace, url)):
        raise Refused(_("Enter a URL that starts with https://."))
    if parts.username is not None or parts.password is not None:
        raise Refused(_("Remove the user name and password from the URL."))
    if not settings.WEBHOOK_NETWORKS and (parts.scheme != "https" or port not in (None, 443)):
        raise Refused(_("Use https:// and port 443."))
    return parts


def send_webhook(url: str, workflow: Workflow, message: str, content: Mapping[str, Any]) -> int:
    """POST `content` as signed JSON under the id `message`; return the success status.

    Raises Refused for a forbidden address or a permanent error, Unreachable for a transient one.
    """
    parts, body, now = check_url(url), json.dumps(content).encode(), int(time.time())
    signed = [signature(workflow, number, message, now, body) for number in generations(workflow)]
    headers = {"content-type": "application/json", "user-agent": "Throughline", "webhook-id": message}
    headers |= {"webhook-timestamp": str(now), "webhook-signature": " ".join(signed)}
    status = _post(parts, body, headers)
    if 200 <= status < 300:
        return status
    if status in (408, 425, 429) or status >= 500:
        raise Unreachable(_("The server responded with {status}.").format(status=status))
    raise Refused(_("The server responded with {status}.").format(status=status))


def _post(parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> int:
    """Return the response status. Raises _Call's errors, and Unreachable if the whole request exceeds TIMEOUT."""
    call = _Call(parts, body, headers)
    call.start()
    call.join(TIMEOUT)
    if call.is_alive():
        call.give_up()
        raise Unreachable(_("The server took longer than {count} seconds.").format(count=formats.number(TIMEOUT, 0)))
    if call.error:
        raise call.error
    return call.status


class _Call(threading.Thread):
    """One request in a thread of its own. Socket timeouts do not limit the whole request: a receiver that trickles
    bytes, or a name server that does not answer, would block the caller.
    """

    def __init__(self, parts: SplitResult, body: bytes, headers: Mapping[str, str]):
        super().__init__(daemon=True)
        self.asked = parts, body, headers
        self.connection: http.client.HTTPConnection | None = None
        self.status, self.error = 0, None  # type: tuple[int, Exception | None]

    def run(self) -> None:
        try:
            self.status = self._status()
        except (OSError, http.client.HTTPException) as error:
            self.error = Unreachable(_("Couldn’t reach the server ({error}).").format(error=type(error).__name__))
        except Exception as error:  # re-raised in the caller
            self.error = error
        finally:
            if self.connection:
                self.connection.close()

    def _status(self) -> int:
        parts, body, headers = self.asked
        self.connection = _connection(parts)
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        self.connection.request("POST", path, body, headers)
        return self.connection.getresponse().status  # the rest of the response is not read

    def give_up(self) -> None:
        """Unblock the thread's reads, so that it ends."""
        if self.connection and self.connection.sock:
            with suppress(OSError):
                self.connection.sock.shutdown(socket.SHUT_RDWR)


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolve(host, port, parts.scheme == "https" and port == 443)
    kind = _Https if parts.scheme == "https" else _Http
    return kind(host, port, address)


class _Http(http.client.HTTPConnection):
    """A connection to a checked address, whatever the name resolves to by now."""

    def __init__(self, host: str, port: int, address: str):
        super().__init__(host, port, timeout=TIMEOUT)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _Https(_Http):
    """_Http with TLS, verifying the certificate against the name."""

    default_port = 443

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        # Handshake separately: meanwhile the socket can be reached from outside and closed.
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock.do_handshake()


def _resolve(host: str, port: int, standard: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(_("Host not found.")) from None
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    refused = [address for address in addresses if not may_call(ipaddress.ip_address(address), standard)]
    if refused or not addresses:
        raise Refused(_("Webhooks can’t be sent to this network."))
    return addresses[0]


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Parse a received JSON object. Raises Refused."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(_("Send a JSON object."))
    return found
