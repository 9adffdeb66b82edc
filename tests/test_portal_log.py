"""The test portal's log, and its manners on the wire."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.portal_asking import Reply, ask, multi
from tests.portal_faults import stall_forever
from tests.portal_http import Answer, Asked
from tests.portal_records import make_records
from tests.portal_server import Portal, serving


@pytest.fixture
def server() -> Iterator[Portal]:
    with serving(make_records(9)) as portal:
        yield portal


def asset(server: Portal) -> str:
    return str(server.records[0]["associatedMedia"][0]["assetID"])


def preview(server: Portal, **headers: str) -> Reply:
    return ask(f"{server.url}/media/{asset(server)}/preview", "GET", None, **headers)


def test_the_log_tells_who_asked_for_what(server: Portal) -> None:
    preview(server, User_Agent="net/1.0")
    multi(server, size=3)
    first, second = server.log
    assert (first.method, first.agent, first.status) == ("GET", "net/1.0", 200)
    assert (first.path, first.headers["user-agent"]) == (
        f"/media/{asset(server)}/preview",
        "net/1.0",
    )
    assert (second.method, second.agent) == ("POST", "")
    assert json.loads(second.body)["size"] == 3
    assert first.time < second.time
    assert [r.active for r in server.log] == [1, 1]


def test_requests_in_progress_are_counted(server: Portal) -> None:
    barrier = threading.Barrier(3)

    def together(asked: Asked, answer: Callable[[], Answer]) -> Answer:
        barrier.wait(10)
        return answer()

    server.faults.always("/media/", together)
    threads = [threading.Thread(target=preview, args=(server,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.active for r in server.log) == [1, 2, 3]
    server.faults.clear()
    preview(server)
    assert server.log[-1].active == 1


def test_a_client_that_hangs_up_is_in_progress_no_more(server: Portal) -> None:
    server.faults.on("/media/", stall_forever)
    address = ("127.0.0.1", urlsplit(server.url).port or 0)
    with socket.create_connection(address, 10) as client:
        client.sendall(b"GET /media/x HTTP/1.1\r\nHost: x\r\n\r\n")
        while not server.log:
            time.sleep(0.01)
        preview(server)
        assert server.log[-1].active == 2
    for _ in range(500):
        preview(server)
        if server.log[-1].active == 1:
            break
        time.sleep(0.01)
    assert server.log[-1].active == 1


def test_one_connection_serves_many_requests(server: Portal) -> None:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    for _ in range(20):
        connection.request("GET", f"/media/{asset(server)}/preview")
        held = connection.sock
        assert connection.getresponse().read() == server.picture(asset(server))
        assert connection.sock is held
    connection.request("HEAD", f"/media/{asset(server)}/preview")
    assert connection.getresponse().read() == b""
    connection.request("GET", "/robots.txt")
    assert connection.getresponse().status == 200
    connection.close()


def test_clients_may_hang_up(server: Portal, capfd: pytest.CaptureFixture[str]) -> None:
    address = ("127.0.0.1", urlsplit(server.url).port or 0)
    for sent in (
        b"",
        b"GET /media",
        b"POST /api/3/action/x HTTP/1.1\r\nContent-Length: 99\r\n\r\n{",
    ):
        with socket.create_connection(address, 10) as client:
            client.sendall(sent)
    assert preview(server).status == 200
    assert capfd.readouterr().err == ""
    assert not server.broken
