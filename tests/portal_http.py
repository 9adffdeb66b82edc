"""The socket side of the test portal: requests as they arrive and are counted, answers as sent."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from tests.portal_server import Portal

Record = dict[str, Any]


class Abandoned(Exception):
    """Nobody waits for this answer any more."""


@dataclass
class Request:
    """One line of the server's log."""

    time: float
    """`time.monotonic()` at arrival."""
    method: str
    path: str
    """With its query."""
    agent: str
    """The User-Agent, "" without one."""
    active: int
    """Requests in progress, this one included."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""
    status: int = 0
    """As sent; 0 while there is no answer."""


@dataclass
class Answer:
    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut: Literal["", "length", "chunked", "close"] = ""
    """How the body is framed when the connection breaks in its middle; "" sends it whole."""


def as_json(content: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(content).encode(), "application/json", headers)


def redirect(url: str) -> Answer:
    return Answer(307, headers={"Location": url})


@dataclass
class Asked:
    """A request on its way through faults and routes."""

    portal: Portal
    request: Request
    gone: Callable[[], bool]
    edits: list[Callable[[Record], Record]] = field(default_factory=list)
    """Faults that reshape the records of the answer."""
    after_always: bool = False
    """A cursor even on the last page."""
    overlap: bool = False
    """The next page begins with this page's last record."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.request.path)
        self.path = unquote(parts.path)
        self.query = parse_qs(parts.query, keep_blank_values=True)

    def wait(self, seconds: float) -> None:
        """Waits, but never longer than the client or the server lasts."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.portal.closing.wait(min(left, 0.02)) or self.gone():
                raise Abandoned


class Traffic:
    """The log, and how many requests are in progress."""

    def __init__(self) -> None:
        self.log: list[Request] = []
        self._active: list[Request] = []
        self._lock = threading.Lock()

    def enter(self, method: str, path: str, headers: dict[str, str]) -> Request:
        with self._lock:
            agent, active = headers.get("user-agent", ""), len(self._active) + 1
            request = Request(time.monotonic(), method, path, agent, active, headers)
            self.log.append(request)
            self._active.append(request)
        return request

    def leave(self, request: Request) -> None:
        with self._lock:
            self._active = [other for other in self._active if other is not request]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _serve(self) -> None:
        traffic = self.server.portal.traffic
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = traffic.enter(self.command, self.path, headers)
        try:
            request.body = self._body(int(headers.get("content-length", 0)))
            asked = Asked(self.server.portal, request, self._gone)
            self._send(self.server.portal.answer(asked), request)
        except (Abandoned, OSError):
            self.close_connection = True
        finally:
            traffic.leave(request)

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = _serve

    def _body(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) < length:
            raise Abandoned
        return body

    def _gone(self) -> bool:
        with suppress(BlockingIOError):
            ready: bytes = self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            return not ready
        return False

    def _send(self, answer: Answer, request: Request) -> None:
        request.status = answer.status
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name.replace("_", "-"), value)
        if answer.status != 304:
            self.send_header("Content-Type", answer.kind)
            self._frame(answer)
        # 1.9 [E]: HEAD has the headers of its JSON; HTTP forbids the body itself
        body = b"" if self.command == "HEAD" else answer.body
        if answer.cut:
            body = body[: len(body) // 2]
            self.close_connection = True
        if answer.cut == "chunked":
            body = b"%x\r\n%s\r\n" % (len(body), body)
        self._write(body, request)

    def _frame(self, answer: Answer) -> None:
        if answer.cut == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif answer.cut == "close":
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(answer.body)))

    def _write(self, body: bytes, request: Request) -> None:
        # Leaves before the last byte: once a client has its answer, it no longer counts as active.
        if body:
            self.end_headers()
            self.wfile.write(body[:-1])
            self.server.portal.traffic.leave(request)
            self.wfile.write(body[-1:])
        else:
            self.server.portal.traffic.leave(request)
            self.end_headers()


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, portal: Portal) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.portal = portal
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may hang up whenever they like."""

    def close(self) -> None:
        """Stops listening and breaks the connections that are still open."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
