"""Requests to addresses that an admin entered: bounded in time and size, and only to the public internet.

The name is resolved once, all its addresses are checked, and the connection uses a checked address, so that a changed
DNS answer cannot redirect it. No redirects, https on port 443; networks in WEBHOOK_NETWORKS, opened by an operator,
also allow http and other ports. An address that the operator configured may be anywhere (`trusted`).

Why: docs/decisions/0018-webhooks-to-the-public-internet.md
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from crm.kit import formats
from crm.kit.errors import Refused
from crm.kit.networks import may_call
from crm.kit.translation import gettext as _

TIMEOUT = 10.0  # seconds for the whole request


class Unreachable(Exception):
    """The server failed to respond properly; to be retried."""


@dataclass(frozen=True)
class Call:
    """A request. Of the answer's body at most `largest` bytes are read; a longer one is refused."""

    method: str
    url: SplitResult
    body: bytes | None
    headers: Mapping[str, str]
    timeout: float = 0  # seconds for the whole request; 0 for TIMEOUT
    largest: int = 0
    trusted: bool = False


@dataclass(frozen=True)
class Answer:
    """A response, with the part of its body that was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def check_url(url: str, *, trusted: bool = False) -> SplitResult:
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
    is_standard = parts.scheme == "https" and port in (None, 443)
    if not (trusted or settings.WEBHOOK_NETWORKS or is_standard):
        raise Refused(_("Use https:// and port 443."))
    return parts


def send(call: Call) -> Answer:
    """Return the answer. Raises Refused for a forbidden address, and Unreachable, also if it takes too long."""
    thread, most = _Sending(call), call.timeout or TIMEOUT
    thread.start()
    thread.join(most)
    if thread.is_alive():
        thread.give_up()
        raise Unreachable(_("The server took longer than {count} seconds.").format(count=formats.number(most, 0)))
    if thread.error or thread.answer is None:
        raise thread.error or Unreachable
    return thread.answer


class _Sending(threading.Thread):
    """One request in a thread of its own. Socket timeouts do not limit the whole request: a server that trickles
    bytes, or a name server that does not answer, would block the caller.
    """

    def __init__(self, call: Call):
        super().__init__(daemon=True)
        self.call = call
        self.connection: http.client.HTTPConnection | None = None
        self.answer: Answer | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.answer = self._answer()
        except (OSError, http.client.HTTPException) as error:
            self.error = Unreachable(_("Couldn’t reach the server ({error}).").format(error=type(error).__name__))
        except Exception as error:  # re-raised in the caller
            self.error = error
        finally:
            if self.connection:
                self.connection.close()

    def _answer(self) -> Answer:
        call = self.call
        self.connection = _connection(call)
        path = call.url._replace(scheme="", netloc="", fragment="").geturl() or "/"
        self.connection.request(call.method, path, call.body, dict(call.headers))
        response = self.connection.getresponse()
        body = response.read(call.largest + 1) if call.largest else b""
        if len(body) > call.largest:
            raise Unreachable(_("The server’s response is too large."))
        return Answer(response.status, dict(response.headers), body)

    def give_up(self) -> None:
        """Unblock the thread's reads, so that it ends."""
        if self.connection and self.connection.sock:
            with suppress(OSError):
                self.connection.sock.shutdown(socket.SHUT_RDWR)


def _connection(call: Call) -> http.client.HTTPConnection:
    is_tls = call.url.scheme == "https"
    host, port = call.url.hostname or "", call.url.port or (443 if is_tls else 80)
    address = _resolve(host, port, is_tls and port == 443, call.trusted)
    return (_Https if is_tls else _Http)(host, port, address)


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


def _resolve(host: str, port: int, standard: bool, trusted: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(_("Host not found.")) from None
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    refused = [address for address in addresses if not (trusted or may_call(ipaddress.ip_address(address), standard))]
    if refused or not addresses:
        raise Refused(_("Requests can’t be sent to this network."))
    return addresses[0]
