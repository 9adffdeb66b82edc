"""The portal as a source. Facts are marked as in the test server: `portal` and a section."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from butterflies.collection.fetching.settings import DownloadSettings, check, host_of
from butterflies.collection.fetching.web import Web, user_agent
from butterflies.collection.sources import portal as portal_module
from butterflies.collection.sources.base import Record
from butterflies.collection.sources.portal import Portal, PortalSettings
from butterflies.collection.sources.query import Query, matches, wanted
from butterflies.errors import UserError
from tests import portal_faults as faults
from tests.gathering import QUICK
from tests.portal_records import make_records
from tests.portal_server import Portal as Server
from tests.portal_server import serving

OPEN: list[Web] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def source(server: Server, **query: Any) -> Portal:
    OPEN.append(Web(QUICK, [host_of(server.url)]))
    return Portal(OPEN[-1], PortalSettings(server.url), Query(**query))


def found(server: Server, **query: Any) -> list[Record]:
    portal = source(server, **query)
    return [record for page in portal.pages(portal.version()) for record in page.records]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_module, "PAGE", 7)


@pytest.mark.parametrize(
    "query",
    [
        {"family": "papilionidae"},
        {"family": ["Papilionidae", "Nymphalidae"]},
        {"family": ["Papilionidae", "Pieridae"], "project": "Birdwing Butterfly Digitisation"},
        {"higherClassification": "Papilionoidea papilioninae"},
        {"text": "Wallace Papilionidae"},
        {"order": "Lepidoptera", "genus": ["Ornithoptera", "Vanessa"]},
    ],
)
def test_the_portal_and_archives_understand_a_query_alike(query: dict[str, Any]) -> None:
    with serving(make_records(60)) as server:
        everything = found(server, order="Lepidoptera")
        picked = {record.key for record in found(server, **query)}
    asked = wanted(Query(**query))
    assert picked == {r.key for r in everything if matches(r.fields, asked)}
    assert 0 < len(picked) < len(everything)


@pytest.mark.usefixtures("small_pages")
def test_pages_are_walked_by_cursor_and_never_by_offset() -> None:
    with serving(make_records(30)) as server:
        keys = [record.key for record in found(server, order="Lepidoptera")]
        asked = [json.loads(r.body) for r in server.log if "vds_multi_query" in r.path]
        assert sorted(keys) == sorted(record["_id"] for record in server.records)
    assert len(asked) == 5
    assert not any("offset" in body for body in asked)  # portal 1.4: there is none
    assert all(body["size"] <= 1000 for body in asked)  # portal 1.4: more is cut silently
    assert [bool(body.get("after")) for body in asked] == [False, True, True, True, True]
    assert len({body["version"] for body in asked}) == 1  # portal 1.5: a stable crawl


@pytest.mark.usefixtures("small_pages")
def test_records_that_change_or_go_while_paging_do_not_shift_the_pages() -> None:
    with serving(make_records(30)) as server:
        ids = sorted(record["_id"] for record in server.records)
        server.faults.on("vds_multi_query", faults.remove_record(ids[0]))
        server.faults.on("vds_multi_query", faults.remove_record(ids[29]))
        assert sorted(record.key for record in found(server, order="Lepidoptera")) == ids


@pytest.mark.usefixtures("small_pages")
def test_answers_in_the_old_shape_are_understood() -> None:
    with serving(make_records(20)) as server:
        new = {r.key: r for r in found(server, order="Lepidoptera")}
        server.faults.always("vds_multi_query", faults.v5)  # portal 1.5, 1.7 [L]
        old = {r.key: r for r in found(server, order="Lepidoptera")}
        pages = [r for r in server.log if "vds_multi_query" in r.path]
    assert old.keys() == new.keys()
    for key in new:
        assert [m["assetID"] for m in old[key].media] == [m["assetID"] for m in new[key].media]
    assert len(pages) < 10  # the cursor on the last page leads to an empty one, which ends it


@pytest.mark.usefixtures("small_pages")
def test_a_cursor_that_fails_for_a_while_is_tried_again() -> None:
    with serving(make_records(20)) as server:
        server.faults.on("vds_multi_query", *[faults.cursor_500] * 3)  # portal 1.6: a 500
        assert len(found(server, order="Lepidoptera")) == 20


@pytest.mark.usefixtures("small_pages")
def test_a_cursor_that_is_refused_starts_the_listing_afresh() -> None:
    with serving(make_records(20)) as server:
        portal = source(server, order="Lepidoptera")
        pages = list(portal.pages(portal.version(), '["no", "cursor", "at all", 7]'))
    assert {record.key for page in pages for record in page.records} == {
        record["_id"] for record in make_records(20)
    }


@pytest.mark.parametrize(
    "fault",
    [
        *(faults.too_many(0), faults.unavailable("http-date"), faults.bad_gateway_html),
        *(faults.timeout_500, faults.html_200, faults.drop_mid_body("chunked"), faults.stall(5)),
    ],
)
def test_what_goes_wrong_now_and_then_is_asked_again(fault: Any) -> None:
    with serving(make_records(5)) as server:
        server.faults.on("/api/", fault, faults.fine, fault)
        assert len(found(server, order="Lepidoptera")) == 5


def test_what_the_portal_refuses_is_asked_once_and_said_in_its_words() -> None:
    with serving() as server:
        portal = source(server, order="Lepidoptera")
        portal.resource = "unknown"
        with pytest.raises(
            UserError, match=r"answered 409: .*No resource IDs are datastore resources"
        ):
            portal.version()  # portal 1.6: a 409 is not to be asked again
        assert len(server.log) == 1


def test_a_portal_that_stays_down_is_asked_as_often_as_allowed() -> None:
    with serving() as server:
        server.faults.always("/api/", faults.unavailable())
        with pytest.raises(UserError, match="could not be asked, 6 times: It answered 503"):
            source(server, order="Lepidoptera").version()
        assert len(server.log) == QUICK.attempts


def test_a_field_that_the_portal_does_not_have_is_named_with_what_it_has() -> None:
    with serving() as server:
        for record in server.records[:]:
            server.change(record["_id"], typeStatus=None)
        portal = source(server, family="Papilionidae")
        portal.wanted["familie"] = ["x"]
        with pytest.raises(UserError, match=r"query.familie: .* has no field .*\(perhaps family"):
            portal.version()


def test_every_request_says_who_asks() -> None:
    with serving(make_records(5)) as server:
        found(server, order="Lepidoptera")
        agents = {request.agent for request in server.log}
    assert agents == {user_agent("tester@example.org")}
    assert "tester@example.org" in agents.pop()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("contact", "nobody"),
        ("contact", "a@b.c\r\nX-Evil: 1"),
        ("contact", ""),
        ("size", "huge"),
        ("size", "0x10"),
        ("rate", 0),
        ("attempts", -1),
    ],
)
def test_settings_that_make_no_sense_are_refused(key: str, value: Any) -> None:
    given = {"contact": "a@b.c", key: value}
    with pytest.raises(UserError, match=rf"download\.{key}="):
        check(DownloadSettings(**given))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://data.nhm.ac.uk/media/x", "data.nhm.ac.uk"),
        ("http://127.0.0.1:80/x", "127.0.0.1"),
        ("http://127.0.0.1:8080/x", "127.0.0.1:8080"),
        ("https://Data.NHM.ac.uk.:443/x", "data.nhm.ac.uk"),
        ("https://data.nhm.ac.uk@evil.org/x", ""),
        ("file:///etc/passwd", ""),
        ("//data.nhm.ac.uk/x", ""),
        ("https://[x", ""),
        ("", ""),
    ],
)
def test_only_plain_web_addresses_have_a_host(url: str, host: str) -> None:
    assert host_of(url) == host


def test_pictures_come_from_the_server_that_was_named(tmp_path: Path) -> None:
    with serving(make_records(3, base="https://data.nhm.ac.uk")) as server:
        media = [m for record in found(server, order="Lepidoptera") for m in record.media]
        assert media
        assert all(m["identifier"].startswith(f"{server.url}/media/") for m in media)
