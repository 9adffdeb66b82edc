"""Lets one browser in, the one that opened the printed address, and no other page or program."""

import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READING = ("GET", "HEAD")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """Middleware: checks Host, token or cookie, and where a write comes from.

    Args:
        app: what it guards.
        names: the Host headers that are ours, such as `127.0.0.1:8000`: a page of another name
            that is made to point here (DNS rebinding) is refused by its Host.
        token: what the address must bring, once, for a cookie.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str], token: str) -> None:
        self.app, self.names, self.token = app, frozenset(names), token
        self.secret = secrets.token_urlsafe(32)
        # Cookies know no port: another annotator's must not push out this one's.
        self.cookie = f"annotator-{sorted(self.names)[0].rpartition(':')[2]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._answer(scope, Headers(scope=scope))
        await (answer or self.app)(scope, receive, sending)

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        """What to say instead of what was asked for, None when it may be asked."""
        if headers.getlist("host") not in [[name] for name in self.names]:
            return _refused(400, "This address is none of the annotator's.")
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if token and scope["path"] == "/" and scope["method"] == "GET":
            return self._exchanged(token[0])
        if not self._known(headers):
            return _refused(403, "Open the address that the annotator printed: it holds the key.")
        if scope["method"] not in READING and not _ours(headers):
            return _refused(403, "Only the annotator's own page may change anything.")
        return None

    def _exchanged(self, token: str) -> Response:
        if not _same(token, self.token):
            return _refused(403, "This key is not valid: open the address printed last.")
        answer = Response(status_code=303, headers={"Location": "/"})
        answer.set_cookie(self.cookie, self.secret, path="/", httponly=True, samesite="strict")
        return answer

    def _known(self, headers: Headers) -> bool:
        sent = cookie_parser(headers.get("cookie", ""))
        return _same(sent.get(self.cookie, ""), self.secret)


def _ours(headers: Headers) -> bool:
    """Whether a write is by our page: no other page can send this header, or this Origin."""
    origin = headers.get("origin")
    return headers.get("x-annotator") == "1" and origin in (None, f"http://{headers['host']}")


def _same(given: str, right: str) -> bool:
    return secrets.compare_digest(given.encode(), right.encode())


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"sentence": sentence}, status)
