"""The embedded server's worker: a connection gets a thread only once its request has fully arrived.

gunicorn assigns a thread on a connection's first byte, and waits for the end of a rejected one in the accepting thread:
a few deliberately slow clients can stop it. Here the accepting thread collects headers and small bodies without
blocking, for at most ARRIVAL seconds. Larger bodies are read in threads of their own, limited by crm.kit.transfers.

Why: docs/decisions/0067-a-thread-for-an-arrived-request.md
"""

import errno
import re
import signal
import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from crm.kit.transfers import SMALL

HEAD = 64 * 1024  # bytes of request line and headers
ARRIVAL = 15.0  # seconds for the head and a small body to arrive
STALLED = 10.0  # seconds that a thread waits for an inactive client
SLOWEST = 32 * 1024  # bytes per second, minimum for a larger body
LINGER = 2.0  # seconds for a client to read its response while its unread body still arrives
LINGER_BYTES = 1 << 20
RECEIVED = 64 * 1024  # bytes per read
# The kernel's send buffer for slow readers: a page or style sheet is sent without blocking.
SEND_BUFFER = 256 * 1024

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n", re.IGNORECASE)
CONTINUE = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class SlowBodyReader(SocketUnreader):
    """Buffer of a connection's input; aborts a body slower than SLOWEST."""

    def __init__(self, sock: socket.socket):
        super().__init__(sock)
        self.size, self.started = 0, time.monotonic()

    def start(self) -> None:
        self.size, self.started = 0, time.monotonic()

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Read some bytes from the socket. Raises TimeoutError for a client that is too slow."""
        if time.monotonic() - self.started > STALLED + self.size / SLOWEST:
            raise TimeoutError("The body arrives too slowly.")  # not a text
        data = super().chunk(size_hint)
        self.size += len(data)
        return data

    def add(self, data: bytes) -> bytes:
        """Append received data; return the whole buffer."""
        self.unread(self.take_buffered() + data)
        return self.buf.getvalue()


class Connection(TConn):
    """A client connection that collects its request before a thread is assigned."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any):
        super().__init__(cfg, sock, client, server)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.parser = get_parser(cfg, sock, client)
        self.parser.unreader = SlowBodyReader(sock)
        self.data_ready = True
        self.told_to_go_on = False

    def receive(self) -> bool:
        """Read available data. Return whether the request, or the part awaited here, is complete.

        Raises OSError for a closed connection or oversized headers.
        """
        data = self.parser.unreader.add(self._received())
        head = data.find(b"\r\n\r\n") + 4
        if head < 4:
            if len(data) > HEAD:
                self.sock.send(TOO_LARGE)
                raise ConnectionAbortedError
            return False
        length = LENGTH.search(data, 0, head)
        missing = (int(length[1]) if length else 0) + head - len(data)
        if missing <= 0 or int(length[1]) > SMALL:  # type: ignore[index]
            return True
        self._go_on(data[:head])
        return False

    def _received(self) -> bytes:
        try:
            data = self.sock.recv(RECEIVED)
        except BlockingIOError:
            return b""
        if not data:
            raise ConnectionResetError
        return data

    def _go_on(self, head: bytes) -> None:
        if not self.told_to_go_on and CONTINUE.search(head):
            self.told_to_go_on = True
            self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def close(self, graceful: bool = False) -> None:
        """Close the connection. gunicorn's own method waits here for the client, up to two seconds."""
        with suppress(OSError):
            self.sock.close()


class Worker(ThreadWorker):
    """A worker that never blocks on clients, and leaves Ctrl-C, sent to the whole process group, to the arbiter."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.lingering: dict[Connection, int] = {}

    def init_signals(self) -> None:
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection; at the limit, drop the one that has been idle the longest."""
        try:
            sock, client = listener.accept()
            conn = Connection(self.cfg, sock, client, listener.getsockname())
        except OSError as error:  # the client closed it; an error raised here would end the worker
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._forget_oldest()
            return
        if self.nr_conns >= self.worker_connections - 1:
            self._forget_oldest()
        self.nr_conns += 1
        self.enqueue_req(conn)

    def enqueue_req(self, conn: Connection) -> None:
        """Collect the next request on this connection."""
        conn.sock.setblocking(False)
        conn.timeout, conn.told_to_go_on = time.monotonic() + ARRIVAL, False
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, 1, partial(self.on_pending_socket_readable, conn))
        self.on_pending_socket_readable(conn, conn.sock)

    def on_pending_socket_readable(self, conn: Connection, client: Any) -> None:
        """Read what arrived; assign a thread once the request is complete."""
        if conn not in self.pending_conns:  # dropped for another one since it was reported readable
            return
        try:
            if not conn.receive():
                return
        except OSError:
            self._forget(conn)
            return
        self._take_out(conn)
        super().enqueue_req(conn)

    def _take_out(self, conn: Connection) -> None:
        self.pending_conns.remove(conn)
        self.poller.unregister(conn.sock)

    def _forget_oldest(self) -> None:
        if self.pending_conns:
            self._forget(self.pending_conns[0])

    def _forget(self, conn: Connection) -> None:
        self._take_out(conn)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close connections with overdue requests; at a stop also those that have sent nothing."""
        now = time.monotonic()
        for conn in list(self.pending_conns):
            if conn.timeout <= now or not (self.alive or conn.parser.unreader.buf.getvalue()):
                self._forget(conn)
        for conn in [conn for conn in self.lingering if conn.timeout <= now]:
            self._let_go(conn)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Handle the request in a thread that a stalled client cannot keep."""
        conn.sock.settimeout(STALLED)
        conn.parser.unreader.start()
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Return whether to keep the connection: not if an unread body is still arriving."""
        return bool(keepalive and conn.parser.finish_body(deadline=time.monotonic() + 0.1))

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Keep or close the connection in the accepting thread, without waiting for the client."""
        ends = not fs.cancelled() and fs.exception() is None and fs.result() is False
        if not ends:
            super().finish_request(conn, fs)
            return
        self.nr_conns -= 1
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, 1, partial(self._on_lingering, conn))
        except (OSError, ValueError):
            conn.close()
            return
        # Closing with unread data would reset the connection, and the client might lose its response.
        conn.timeout = time.monotonic() + LINGER
        self.lingering[conn] = 0

    def _on_lingering(self, conn: Connection, client: Any) -> None:
        try:
            data = conn.sock.recv(RECEIVED)
        except OSError:
            data = b""
        self.lingering[conn] += len(data)
        if not data or self.lingering[conn] > LINGER_BYTES:
            self._let_go(conn)

    def _let_go(self, conn: Connection) -> None:
        del self.lingering[conn]
        self.poller.unregister(conn.sock)
        conn.close()
