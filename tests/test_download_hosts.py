"""Hosts that misbehave: paces, pauses, redirects. Facts are marked as in the test server."""

import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from butterflies.collection.collecting import CsvSettings, collect_csv
from butterflies.collection.fetching import download, fetch, pace
from butterflies.collection.fetching.settings import host_of
from butterflies.errors import UserError
from tests import portal_faults as faults
from tests.gathering import QUICK, check_whole, collect, rows, specimens
from tests.portal_records import make_records
from tests.portal_server import Portal, serving


@pytest.fixture
def portal() -> Iterator[Portal]:
    with serving(make_records(12)) as server:
        yield server


def test_redirects_are_followed_to_allowed_hosts_only(portal: Portal) -> None:
    first, second, third = sorted(specimens(portal))[:3]
    portal.faults.always(first, faults.redirect_to("http://elsewhere.example/x.jpg"))
    portal.faults.always(second, faults.redirect_loop)
    portal.faults.always(third, faults.redirect_to("file:///etc/passwd"))
    found = collect(portal)
    assert found[first]["reason"] == (
        "It was redirected to elsewhere.example, which is not among download.hosts."
    )
    assert (found[second]["status"], found[second]["reason"]) == (
        "failed",
        "It was redirected in a circle.",
    )
    assert found[third]["status"] == "refused"
    assert sum("/loop" in request.path for request in portal.log) == fetch.MAX_REDIRECTS


def test_addresses_of_the_old_host_lead_to_the_picture(portal: Portal) -> None:
    portal.faults.always("vds_multi_query", faults.old_host)
    check_whole(portal, collect(portal))  # portal 1.9: a chain of two redirects


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.jpg", "ftp://127.0.0.1/x", "nonsense"])
def test_records_do_not_choose_which_hosts_are_asked(portal: Portal, url: str) -> None:
    record = portal.records[0]
    medium = {**record["associatedMedia"][0], "identifier": url}
    portal.change(record["_id"], associatedMedia=[medium])
    row = collect(portal)[medium["assetID"]]
    assert row["status"] == "refused"
    assert "not among download.hosts" in row["reason"]


def test_the_rate_and_the_concurrency_hold_as_the_server_counts_them(portal: Portal) -> None:
    portal.faults.always("/media", faults.stall(0.15))
    collect(portal, rate=20, concurrency=2)
    times = [request.time for request in portal.log]
    assert max(request.active for request in portal.log if "/media" in request.path) == 2
    for start in times:  # in any second, whatever is asked for
        assert sum(start <= time < start + 1 for time in times) <= 20 + 1


def test_a_host_that_asks_to_be_left_alone_is(portal: Portal) -> None:
    portal.faults.on("/media", faults.fine, faults.too_many(1))
    collect(portal, concurrency=1)
    times = [request.time for request in portal.log if request.path.startswith("/media")]
    assert max(b - a for a, b in pairwise(times)) >= 1.0


def test_a_host_that_is_down_is_left_alone_and_its_pictures_do_not_fail(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pace, "FIRST_PAUSE", 0.3)
    portal.faults.on("/media", *[faults.bad_gateway_html] * (pace.BREAK_AFTER + 2))
    found = collect(portal, attempts=6)
    check_whole(portal, found)
    assert "does not answer well" in capsys.readouterr().out
    first = next(number for number, r in enumerate(portal.log) if r.status == 502)
    # A busy server notes a request late, so that what follows the pause seems to come sooner.
    assert max(b.time - a.time for a, b in pairwise(portal.log[first:])) >= 0.25


def test_a_host_that_never_comes_back_ends_the_run_and_nothing_is_lost(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(pace, "GIVE_UP_AFTER", 3)
    portal.faults.on("/media", *[faults.fine] * 5, *[faults.bad_gateway_html] * 500)
    with pytest.raises(UserError, match="did not answer for about a day"):
        collect(portal)
    states = Counter(row["status"] for row in rows(Path("c")).values())
    assert states == {"ok": 5, "missing": len(specimens(portal)) - 5}
    portal.faults.clear()
    check_whole(portal, collect(portal))


def test_a_page_that_says_404_for_a_while_withdraws_nothing(portal: Portal) -> None:
    page = faults.fixed(404, b"<html>Not found</html>", "text/html")
    portal.faults.on("/media", page, faults.fine, page)
    check_whole(portal, collect(portal))  # portal 1.9: what is gone is said in JSON


def test_a_host_that_is_down_does_not_keep_others_waiting(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "AHEAD", 5)
    monkeypatch.setattr(pace, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(pace, "GIVE_UP_AFTER", 4)
    dead = "http://127.0.0.1:9"
    lines = [f"d{number},{dead}/{number}.jpg" for number in range(20)]
    lines += [f"{key},{portal.url}/media/{key}" for key in specimens(portal)]
    Path("t.csv").write_text("\n".join(["catalogNumber,associatedMedia", *lines]))
    hosts = [host_of(dead), host_of(portal.url)]
    settings = CsvSettings("c", replace(QUICK, hosts=hosts), records="t.csv")
    with pytest.raises(UserError, match="did not answer for about a day"):
        collect_csv(settings)
    states = Counter((r["associatedMedia"][:18], r["status"]) for r in rows(Path("c")).values())
    assert states[portal.url[:18], "ok"] == len(specimens(portal))


@pytest.mark.parametrize("dripping", ["head", "body"])
def test_a_host_that_drips_is_given_up_in_time(portal: Portal, dripping: str) -> None:
    record = portal.records[0]
    with drips(dripping) as url:
        medium = {**record["associatedMedia"][0], "identifier": f"{url}/x.jpg"}
        portal.change(record["_id"], associatedMedia=[medium])
        hosts = [*QUICK.hosts, host_of(url)]
        row = collect(portal, hosts=hosts, timeout=0.1, attempts=2)[medium["assetID"]]
    assert (row["status"], row["reason"]) == ("failed", "It did not answer in time.")


@contextmanager
def drips(what: str) -> Iterator[str]:
    """A server that sends a byte now and then, and never comes to an end."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 999999\r\n"
    begin = head if what == "head" else head + b"\r\n"
    end = threading.Event()

    def drip(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.sendall(begin)
            while not end.wait(0.03):
                connection.sendall(b"x")

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        end.set()


def test_words_of_a_server_command_no_terminal(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = min(specimens(portal))
    evil = json.dumps({"error": "\x1b]0;owned\x07 \x9b2J"}).encode()
    portal.faults.always(bad, faults.fixed(405, evil, "application/json"))
    row = collect(portal)[bad]
    assert row["reason"] == "It answered 405: ]0;owned 2J."
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", capsys.readouterr().out)
