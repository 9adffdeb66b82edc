"""The test portal's faults, each seen through a raw request."""

import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, IncompleteRead
from typing import Literal
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests import portal_faults as f
from tests.portal_asking import Reply, ask, basic, multi
from tests.portal_http import Record
from tests.portal_records import make_records
from tests.portal_rules import Fault
from tests.portal_server import Portal, serving


@pytest.fixture
def server() -> Iterator[Portal]:
    with serving(make_records(9)) as portal:
        yield portal


def asset(server: Portal) -> str:
    return str(server.records[0]["associatedMedia"][0]["assetID"])


def preview(server: Portal, **headers: str) -> Reply:
    return ask(f"{server.url}/media/{asset(server)}/preview", "GET", None, **headers)


def fails(server: Portal, fault: Fault) -> Reply:
    """The answer with a fault; the one after it is well again."""
    server.faults.on("/media/", fault)
    reply = preview(server)
    assert preview(server).body == server.picture(asset(server))
    return reply


def test_faults_come_in_turn_and_then_all_is_well(server: Portal) -> None:
    server.faults.on("/media/.*/preview", f.unavailable(), f.fine, f.forbidden)
    assert ask(f"{server.url}/robots.txt").status == 200
    assert [preview(server).status for _ in range(4)] == [503, 200, 403, 200]


def test_every_nth_and_every_request_can_fail(server: Portal) -> None:
    server.faults.every(3, "/media/", f.unavailable())
    assert [preview(server).status for _ in range(6)] == [200, 200, 503] * 2
    server.faults.clear()
    server.faults.always("/media/", f.forbidden)
    server.faults.on("/media/", f.timeout_500)  # interrupts what is always so
    assert [preview(server).status for _ in range(3)] == [500, 403, 403]


@pytest.mark.parametrize(("make", "status"), [(f.too_many, 429), (f.unavailable, 503)])
def test_a_busy_server_may_say_how_long(
    server: Portal,
    make: Callable[..., Fault],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "retry-after" not in fails(server, make()).headers
    reply = fails(server, make(7))
    assert (reply.status, reply.headers["retry-after"]) == (status, "7")
    monkeypatch.setattr(time, "time", lambda: 1_760_000_000.5)
    late = fails(server, make("http-date")).headers["retry-after"]
    assert parsedate_to_datetime(late).timestamp() == 1_760_000_002


def test_errors_have_the_bodies_of_the_services(server: Portal) -> None:
    # 1.9 [S]: the message of a first access that takes too long
    slow = fails(server, f.timeout_500)
    assert (slow.status, slow.json) == (500, {"error": "A timeout occurred, please try again"})
    assert "error" in fails(server, f.unavailable()).json  # 1.9 [S]
    gateway = fails(server, f.bad_gateway_html)
    assert (gateway.status, gateway.kind) == (502, "text/html")  # 1.6
    server.faults.on("/v1/", f.too_many())
    advice = ask(f"{server.url}/v1/occurrence/search")
    assert (advice.status, type(advice.json)) == (429, list)  # 2.1


def test_a_200_may_be_no_picture(server: Portal) -> None:
    # section 4: "A 200 is not proof of an image"
    page, called = fails(server, f.html_200), fails(server, f.html_as_jpeg)
    assert (page.status, page.kind) == (200, "text/html")
    assert (called.status, called.kind, called.body) == (200, "image/jpeg", page.body)
    error = fails(server, f.json_error_200)
    assert (error.status, error.kind) == (200, "application/json")
    empty = fails(server, f.zero_bytes_200)
    assert (empty.status, empty.body, empty.kind) == (200, b"", "image/jpeg")
    wrong = fails(server, f.wrong_type)
    assert (wrong.kind, wrong.body) == ("text/html", server.picture(asset(server)))


def test_a_truncated_picture_has_the_right_length(server: Portal) -> None:
    reply = fails(server, f.truncated_jpeg)
    whole = server.picture(asset(server))
    assert reply.body == whole[: len(whole) // 2]
    assert int(reply.headers["content-length"]) == len(reply.body)
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO(reply.body)).load()


def test_a_huge_picture_is_a_few_bytes(server: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    reply = fails(server, f.huge_picture)
    assert (reply.kind, len(reply.body) < 200) == ("image/png", True)
    assert Image.open(io.BytesIO(reply.body)).size == (50_000, 50_000)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_breaks_off_is_noticed(
    server: Portal, framing: Literal["length", "chunked"]
) -> None:
    server.faults.on("/media/", f.drop_mid_body(framing))
    with pytest.raises(IncompleteRead):
        preview(server)
    assert preview(server).status == 200


def test_a_body_without_length_breaks_off_unnoticed(server: Portal) -> None:
    reply = fails(server, f.drop_mid_body("close"))
    whole = server.picture(asset(server))
    assert reply.body == whole[: len(whole) // 2]  # section 3: not detectable
    assert not {"content-length", "transfer-encoding"} & set(reply.headers)


def test_a_stall_ends_in_the_answer_or_never(server: Portal) -> None:
    assert fails(server, f.stall(0.05)).status == 200
    server.faults.on("/media/", f.stall_forever)
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=0.1)
    connection.request("GET", f"/media/{asset(server)}")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert server.log[-1].status == 0


def test_a_stall_does_not_hold_up_the_end() -> None:
    with serving(make_records(1)) as server:
        server.faults.on("/media/", f.stall_forever)
        client = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), 10)
        client.sendall(b"GET /media/x HTTP/1.1\r\nHost: x\r\n\r\n")
        while not server.log:
            time.sleep(0.01)
    assert client.recv(1) == b""  # the server closed it: nobody waits any more
    client.close()


def test_redirects_go_round_or_away(server: Portal) -> None:
    reply = fails(server, f.redirect_loop)
    for _ in range(3):
        assert reply.status == 307
        reply = ask(reply.headers["location"])
    away = fails(server, f.redirect_to("http://elsewhere.invalid/x.jpg"))
    assert (away.status, away.headers["location"]) == (307, "http://elsewhere.invalid/x.jpg")


def test_a_cursor_fails_but_not_a_first_page(server: Portal) -> None:
    server.faults.on("vds_multi_query", f.cursor_500)
    after = multi(server, size=4).result["after"]
    bad = multi(server, size=4, after=after)
    assert (bad.status, bad.json["error"]["__type"]) == (500, "Internal Server Error")  # 1.6 [S]
    assert multi(server, size=4, after=after).status == 200


def test_a_record_is_repeated_on_the_next_page(server: Portal) -> None:
    server.faults.on("vds_multi_query", f.duplicate_record)
    first = multi(server, size=4).result
    second = multi(server, size=5, after=first["after"]).result
    assert second["records"][0] == first["records"][-1]  # 1.5: de-duplicate
    third = multi(server, size=5, after=second["after"]).result
    assert (len(third["records"]), third["after"]) == (1, None)


def test_a_record_disappears_between_pages(server: Portal) -> None:
    lost = basic(server, sort="_id", offset=8).result["records"][0]["_id"]
    server.faults.on("datastore_search", f.remove_record(lost))
    first = basic(server, sort="_id", limit=5).result
    second = basic(server, sort="_id", after=first["after"]).result
    assert (first["total"], second["total"]) == (9, 8)  # 1.5: total may change between pages
    assert len(second["records"]) == 3


def test_old_answers_have_their_own_shape(server: Portal) -> None:
    server.faults.always("datastore_search", f.v5)
    page = basic(server, limit=9).result
    record = page["records"][0]
    assert {type(record[k]) for k in ("_id", "created", "modified")} == {int}  # 1.7
    assert record["created"] == 1_563_960_268_000  # 2019-07-24T09:24:28+00:00
    media: list[Record] = json.loads(record["associatedMedia"])  # 1.7 [L]: a string
    assert "format" not in media[0]
    assert {m["mime"] for m in media} <= {"jpeg", "image/tiff"}  # 1.7 [L]
    # 1.5 [S, L]: a cursor even on the last page, and an empty page behind it
    last = basic(server, limit=9, after=page["after"]).result
    assert (last["records"], last["after"]) == ([], None)


def test_old_identifiers_lead_to_their_pictures(server: Portal) -> None:
    server.faults.on("datastore_search", f.old_host)
    media = basic(server).result["records"][0]["associatedMedia"][0]
    assert media["identifier"].endswith("/contents/preview")  # 1.8 [R]
    reply = ask(media["identifier"])
    while reply.status == 307:
        reply = ask(reply.headers["location"])
    assert reply.body == server.picture(media["assetID"])
