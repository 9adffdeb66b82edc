"""What an adversary, a kill or a bad night of a server does to `butterflies collect`."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from butterflies.collection.collecting import (
    CsvSettings,
    GbifCollectSettings,
    collect_csv,
    collect_gbif,
)
from butterflies.collection.fetching import download, pace
from butterflies.collection.fetching.settings import host_of
from butterflies.collection.ledger import Ledger
from butterflies.collection.masks import save_mask
from butterflies.collection.sources import gbif as gbif_module
from butterflies.collection.sources import portal as portal_module
from butterflies.collection.sources.gbif import GbifQuery, GbifSettings
from butterflies.errors import UserError
from tests import portal_faults as faults
from tests.gathering import QUICK, Rows, collect, pictures_asked, rows, specimens
from tests.portal_http import Answer, Asked
from tests.portal_records import make_records
from tests.portal_rules import Fault
from tests.portal_server import Portal, serving

LATER = "2030-01-01T00:00:00+00:00"


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    monkeypatch.setattr(portal_module, "PAGE", 5)
    with serving(make_records(40)) as server:
        yield server


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(pace, "LONGEST_PAUSE", 0.001)


class Killed(BaseException):
    """Stands for a SIGKILL: nothing of the program answers it."""


def answering(body: bytes, **headers: str) -> Fault:
    def fault(asked: Asked, answer: Callable[[], Answer]) -> Answer:
        return Answer(200, body, "application/json", dict(headers))

    return fault


def newest_first(portal: Portal) -> list[str]:
    states = portal.collection.as_of()
    return [s.id for s in sorted(states, key=lambda s: (s.version, s.id.lower()), reverse=True)]


def of_table(portal: Portal, text: str, **download_settings: Any) -> Rows:
    Path("table.csv").write_text(text, encoding="utf-8")
    known = {"hosts": [host_of(portal.url)], **download_settings}
    return rows(collect_csv(CsvSettings("t", replace(QUICK, **known), records="table.csv")))


def moved_picture(portal: Portal) -> str:
    """The museum moves a picture from an old record to another one; its assetID."""
    known, order = specimens(portal), newest_first(portal)
    by_id = {record["_id"]: record for record in portal.records}
    giver = next(by_id[i] for i in order[20:] if by_id[i]["associatedMedia"][0]["assetID"] in known)
    taker, medium = by_id[order[3]], giver["associatedMedia"][0]
    portal.change(giver["_id"], associatedMedia=giver["associatedMedia"][1:])
    portal.change(taker["_id"], associatedMedia=[*taker["associatedMedia"], medium])
    return str(medium["assetID"])


def test_a_picture_that_moved_to_another_record_is_not_withdrawn(portal: Portal) -> None:
    collect(portal)
    moved = moved_picture(portal)
    assert collect(portal)[moved]["status"] == "ok"


def test_a_picture_that_two_records_show_stays_when_one_is_asked_for(portal: Portal) -> None:
    giver = next(r for r in portal.records if r["family"] == "Papilionidae")
    taker = next(r for r in portal.records if r["family"] == "Nymphalidae")
    shared = giver["associatedMedia"][0]
    portal.change(taker["_id"], associatedMedia=[*taker["associatedMedia"], shared])
    portal.change(giver["_id"], locality="listed first")
    collect(portal)
    assert collect(portal, family="Nymphalidae")[shared["assetID"]]["status"] == "ok"


def test_an_update_that_had_to_start_afresh_misses_no_change(portal: Portal) -> None:
    collect(portal)
    changed = newest_first(portal)[:17]
    for number in changed:
        portal.change(number, locality="changed")
    refused = [faults.cursor_500] * QUICK.attempts
    portal.faults.on("vds_multi_query", faults.fine, faults.fine, *refused)
    found = collect(portal)
    assert {r["locality"] for r in found.values() if r["_id"] in changed} == {"changed"}


def test_another_query_of_a_limited_collection_brings_what_it_asks_for(portal: Portal) -> None:
    collect(portal, family="Papilionidae", limit=4)
    found = collect(portal, family="Nymphalidae", limit=4)
    assert {r["family"] for r in found.values() if r["status"] == "ok"} == {"Nymphalidae"}


def test_a_search_of_gbif_that_breaks_off_withdraws_nothing(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gbif_module, "PAGE", 3)
    days = iter("ab")
    monkeypatch.setattr(gbif_module.Gbif, "version", lambda self: next(days))
    asked = GbifCollectSettings(
        collection="g",
        download=replace(QUICK, hosts=[host_of(portal.url)]),
        source=GbifSettings(portal.url),
        query=GbifQuery(taxon="Papilionidae"),
    )
    whole = rows(collect_gbif(asked))
    cut = b'{"offset": 3, "limit": 3, "endOfRecords": false, "count": 13, "results": []}'
    portal.faults.on("occurrence/search", faults.fine, answering(cut))
    with suppress(UserError):
        collect_gbif(asked)
    assert {row["status"] for row in whole.values()} == {"ok"}
    assert {row["status"] for row in rows(Path("g")).values()} == {"ok"}


def test_a_collection_that_was_killed_at_once_keeps_to_its_size(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("butterflies.collection.collecting.download", killed)
        patch.setattr("butterflies.collection.collecting._write_down", killed)
        with pytest.raises(Killed):
            collect(portal)
    with pytest.raises(UserError, match="was collected from"):
        collect(portal, size="thumbnail")


def test_a_kill_before_a_replaced_picture_is_written_down_leaves_no_wrong_mask(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, row = next(iter(collect(portal).items()))
    save_mask(Path(f"c/masks/{key}.png"), np.zeros((row["height"], row["width"]), bool))
    record = next(r for r in portal.records if r["_id"] == row["_id"])
    newer = {"modified": LATER, "PixelXDimension": "300", "PixelYDimension": "200"}
    media = [{**m, **newer} if m["assetID"] == key else m for m in record["associatedMedia"]]
    portal.change(row["_id"], associatedMedia=media)

    def replaced_and_killed(source: Path, target: Path) -> None:
        source.rename(target)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(download.os, "replace", replaced_and_killed)  # type: ignore[attr-defined]
        patch.setattr("butterflies.collection.collecting._write_down", lambda *_: None)
        with pytest.raises(Killed):
            collect(portal)
    assert os.listdir("c/masks") == [f"{key}.png"]
    now = collect(portal)[key]
    assert (now["width"], now["height"]) != (row["width"], row["height"])
    assert os.listdir("c/masks") == [f"{key}.png.1"]


@pytest.mark.usefixtures("_short_pauses")
@pytest.mark.parametrize(("fault", "broken"), [(faults.unavailable(), 2), (faults.forbidden, 5)])
def test_a_few_broken_pictures_at_the_end_do_not_lose_a_host_for_a_day(
    portal: Portal, fault: Fault, broken: int
) -> None:
    bad = list(specimens(portal))[-broken:]
    portal.faults.always("|".join(bad), fault)
    collect(portal)
    found = collect(portal, retry="failed")
    assert {found[key]["status"] for key in bad} == {"failed"}


@pytest.mark.usefixtures("_short_pauses")
def test_dead_links_of_a_host_do_not_lose_it_for_a_day(portal: Portal) -> None:
    lines = [f"a{i},{portal.url}/nothing/{i}.jpg" for i in range(120)]
    found = of_table(portal, "\n".join(["assetID,associatedMedia", *lines]))
    assert {row["status"] for row in found.values()} == {"withdrawn"}


def test_pictures_whose_addresses_end_alike_are_all_kept(portal: Portal) -> None:
    addresses = [f"{portal.url}/media/{key}" for key in list(specimens(portal))[:3]]
    lines = [f"c{i},{a}/full/max/0/default.jpg" for i, a in enumerate(addresses)]
    found = of_table(portal, "\n".join(["catalogNumber,associatedMedia", *lines]))
    assert {row["catalogNumber"] for row in found.values()} == {"c0", "c1", "c2"}


@pytest.mark.parametrize("strange", ["http://[broken/media/1", "http://x/\ud800"])
def test_one_strange_address_costs_one_picture(portal: Portal, strange: str) -> None:
    record = portal.records[0]
    medium = {**record["associatedMedia"][0], "identifier": strange}
    portal.change(record["_id"], associatedMedia=[medium])
    found = collect(portal)
    assert {r["status"] for r in found.values() if r["_id"] != record["_id"]} == {"ok"}


@pytest.mark.parametrize(
    "fault",
    [
        answering(b'{"success": true}'),
        answering(b'{"success": true, "result": []}'),
        answering(b'{"success": true, "result": {"total": 1, "records": [{}]}}'),
        answering(b"no gzip", **{"Content-Encoding": "gzip"}),
    ],
)
def test_a_strange_answer_of_the_portal_is_one_sentence(portal: Portal, fault: Fault) -> None:
    portal.faults.always("vds_multi_query", fault)
    with pytest.raises(UserError):
        collect(portal)


@pytest.mark.parametrize("asked", ["9" * 400, "1 Jan 2020 00:00:00 +99999999999999"])
def test_an_absurd_retry_after_is_no_traceback(asked: str) -> None:
    assert pace.retry_after(asked) is None or pace.retry_after(asked) < 1e6  # type: ignore[operator]


def test_a_contact_with_an_accent_is_sent_or_refused_in_a_sentence(portal: Portal) -> None:
    try:
        collect(portal, contact="josé@example.org", limit=1)
    except UserError:
        assert pictures_asked(portal) == []


def test_the_ledger_finds_a_photograph_without_reading_all(tmp_path: Path) -> None:
    plan = "EXPLAIN QUERY PLAN UPDATE photograph SET state = 'ok' WHERE assetID = 'a'"
    ledger = Ledger(tmp_path)
    steps = [row["detail"] for row in ledger.rows(plan)]
    ledger.close()
    assert all(step.startswith("SEARCH") for step in steps)
