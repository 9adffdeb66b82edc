"""Raw requests to the test portal, one connection each, nothing followed and nothing repeated."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.portal_api import SPECIMENS
from tests.portal_server import Portal


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        """What an action answered; it must have succeeded."""
        assert (self.status, self.json["success"]) == (200, True), self.body
        return self.json["result"]

    @property
    def kind(self) -> str:
        return self.headers["content-type"].split(";")[0]


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
    """Sends one request; underscores in header names stand for hyphens."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        sent = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, sent, answer.read())
    finally:
        connection.close()


def act(server: Portal, action: str, **params: object) -> Reply:
    """POSTs an action with JSON."""
    return ask(f"{server.url}/api/3/action/{action}", "POST", json.dumps(params).encode())


def multi(server: Portal, query: object = None, **params: object) -> Reply:
    """POSTs `vds_multi_query` for the specimens."""
    return act(server, "vds_multi_query", resource_ids=[SPECIMENS], query=query or {}, **params)


def basic(server: Portal, **params: object) -> Reply:
    """POSTs `datastore_search` for the specimens."""
    return act(server, "datastore_search", resource_id=SPECIMENS, **params)
