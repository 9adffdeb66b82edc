"""The downloader against a server that misbehaves. Facts are marked as in the test server."""

import json
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from butterflies.collection.fetching import download, fetch, forecast
from butterflies.errors import UserError
from tests import portal_faults as faults
from tests.gathering import QUICK, check_whole, collect, pictures_asked, rows, specimens
from tests.portal_records import make_records
from tests.portal_server import Portal, serving

Usage = namedtuple("Usage", "total used free")
FOR_A_WHILE = [
    *(faults.too_many(), faults.too_many(1), faults.too_many("http-date")),
    *(faults.unavailable(), faults.unavailable(1), faults.timeout_500, faults.bad_gateway_html),
    *(faults.drop_mid_body("length"), faults.drop_mid_body("chunked")),
    *(faults.drop_mid_body("close"), faults.truncated_jpeg, faults.zero_bytes_200),
    *(faults.html_200, faults.html_as_jpeg, faults.json_error_200, faults.wrong_type),
    faults.stall_forever,
]


@pytest.fixture
def portal() -> Iterator[Portal]:
    with serving(make_records(12)) as server:
        yield server


@pytest.mark.parametrize("fault", FOR_A_WHILE)
def test_what_goes_wrong_for_a_while_costs_no_picture(portal: Portal, fault: Any) -> None:
    portal.faults.on("/media", fault, faults.fine, fault)
    found = collect(portal, timeout=2)
    check_whole(portal, found)
    assert len(pictures_asked(portal)) == len(found) + 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.html_as_jpeg, "web page"),
        (faults.html_200, "It sent text/html instead of a picture."),
        (faults.truncated_jpeg, "no whole picture"),
        (faults.timeout_500, "answered 500: A timeout occurred"),
        (faults.unavailable(), "answered 503: Failed to retrieve"),
        (faults.drop_mid_body("length"), "The connection broke off."),
    ],
)
def test_what_stays_wrong_fails_after_as_many_attempts_as_allowed_and_says_why(
    portal: Portal, fault: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = sorted(specimens(portal))[0]
    portal.faults.always(bad, fault)
    row = collect(portal, attempts=3)[bad]
    assert row["status"] == "failed"
    assert reason in row["reason"]
    assert len([path for path in pictures_asked(portal) if bad in path]) == 3
    assert not list(Path("c/photos").glob(f"*{bad}*"))
    assert f"1 failed: {row['reason']}" in capsys.readouterr().out


def test_failed_pictures_are_asked_for_again_only_when_told_to(portal: Portal) -> None:
    first, second = sorted(specimens(portal))[:2]
    portal.faults.always(first, faults.truncated_jpeg)
    portal.faults.always(second, faults.forbidden)
    found = collect(portal)
    assert (found[first]["status"], found[second]["status"]) == ("failed", "failed")
    assert sum(second in path for path in pictures_asked(portal)) == 2  # once more, in case
    portal.faults.clear()
    since = len(portal.log)
    assert collect(portal) == found
    assert pictures_asked(portal, since) == []
    check_whole(portal, collect(portal, retry="failed"))
    assert len(pictures_asked(portal, since)) == 2


def test_a_picture_that_the_museum_withholds_is_withdrawn_at_once(portal: Portal) -> None:
    gone = sorted(specimens(portal))[0]
    portal.withhold(gone)
    row = collect(portal)[gone]
    # portal 1.9: a 404 in JSON means that it is gone or withheld
    assert (row["status"], row["photo"]) == ("withdrawn", None)
    assert "404: Image" in row["reason"]
    assert row["genus"]
    assert sum(gone in path for path in pictures_asked(portal)) == 1


def test_a_picture_of_billions_of_pixels_is_refused_unread(portal: Portal) -> None:
    huge = sorted(specimens(portal))[0]
    portal.faults.always(huge, faults.huge_picture)
    row = collect(portal)[huge]
    assert (row["status"], row["reason"]) == ("refused", "It has 2500 megapixels, more than 200.")
    assert sum(huge in path for path in pictures_asked(portal)) == 1


def test_an_endless_picture_is_refused(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MAX_BYTES", 1500)
    found = collect(portal)
    large = [key for key in found if len(portal.picture(key)) > 1500]
    assert large
    assert all(found[key]["status"] == "refused" for key in large)
    assert all(not list(Path("c/photos").glob(f"*{key}*")) for key in large)


@pytest.mark.parametrize(
    ("size", "suffix", "longest"),
    [("preview", ".jpg", 96), ("thumbnail", ".jpg", 48), ("30x30", ".jpg", 30)],
)
def test_sizes(portal: Portal, size: str, suffix: str, longest: int) -> None:
    found = collect(portal, size=size)
    assert {Path(row["photo"]).suffix for row in found.values()} == {suffix}
    assert max(row["width"] for row in found.values()) == longest


def test_originals_keep_their_format(portal: Portal) -> None:
    found, media = collect(portal, size="original"), specimens(portal)
    for key, row in found.items():
        tiff = media[key]["format"] == "image/tiff"
        assert Path(row["photo"]).suffix == (".tif" if tiff else ".jpg")
        assert (row["width"], row["height"]) == (
            int(media[key]["PixelXDimension"]),
            int(media[key]["PixelYDimension"]),
        )


def test_a_size_that_would_enlarge_a_picture_falls_back_to_its_preview(portal: Portal) -> None:
    check_whole(portal, collect(portal, size="4000x4000"))  # portal 1.9: upscaling is a 400
    assert all("/full/!4000,4000/" in p or "/preview" in p for p in pictures_asked(portal))


def test_a_disk_that_is_too_small_is_said_before_anything_is_fetched(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 514 << 20))
    with pytest.raises(UserError, match=r"pictures of some 0.63 MB need .* has 0.5 GB free"):
        collect(portal)
    assert pictures_asked(portal) == []


def test_a_disk_that_fills_up_keeps_what_has_come(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = download._Downloader._keep
    monkeypatch.setattr(forecast, "RESERVE", 0)

    def full(self: Any, task: Any, answer: Any) -> int:
        if self.meter.here == 4:
            raise OSError(28, "No space left on device")
        return kept(self, task, answer)

    monkeypatch.setattr(download._Downloader, "_keep", full)
    with pytest.raises(UserError, match="is full: 4 of"):
        collect(portal)
    assert sum(row["status"] == "ok" for row in rows(Path("c")).values()) == 4
    assert not list(Path("c/photos").glob(".*"))
    monkeypatch.setattr(download._Downloader, "_keep", kept)
    check_whole(portal, collect(portal))


def test_a_file_that_was_lost_or_cut_is_fetched_again(portal: Portal) -> None:
    found = collect(portal)
    first, second = sorted(found)[:2]
    Path("c", found[first]["photo"]).unlink()
    Path("c", found[second]["photo"]).write_bytes(b"cut")
    since = len(portal.log)
    check_whole(portal, collect(portal))
    assert len(pictures_asked(portal, since)) == 2


def test_pictures_with_the_same_bytes_are_noticed(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = sorted(specimens(portal))[:3]
    same = f"{portal.url}/media/{first}"
    for record in portal.records:
        media = [
            {**m, "identifier": same} if m["assetID"] in (second, third) else m
            for m in record["associatedMedia"]
        ]
        portal.change(record["_id"], associatedMedia=media)
    found = collect(portal)
    assert {k: r["duplicateOf"] for k, r in found.items() if r["duplicateOf"]} == {
        second: first,
        third: first,
    }
    assert "2 pictures have the same bytes as another" in capsys.readouterr().out


def test_a_stopped_run_writes_the_table_of_what_it_has(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = download._Downloader._ended

    def interrupted(self: Any, task: Any, answer: Any) -> None:
        ended(self, task, answer)
        if self.meter.here == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(download._Downloader, "_ended", interrupted)
    with pytest.raises(KeyboardInterrupt):
        collect(portal)
    found = rows(Path("c")).values()
    assert sum(row["status"] == "ok" for row in found) == 3
    waiting = {row["reason"] for row in found if row["status"] == "missing"}
    assert waiting == {"Its picture has not been downloaded yet."}
    assert json.loads(Path("c/provenance.json").read_text())["status"] == "stopped"


def test_the_provenance_tells_what_was_asked(portal: Portal) -> None:
    collect(portal, family="Papilionidae", limit=2)
    told = json.loads(Path("c/provenance.json").read_text())
    assert told["settings"]["query"]["family"] == "Papilionidae"
    assert told["settings"]["download"]["contact"] == QUICK.contact
    assert told["status"] == "finished"


def test_a_mask_that_cannot_be_read_does_not_stop_an_update(portal: Portal) -> None:
    collect(portal)
    record = portal.records[0]
    medium = {**record["associatedMedia"][0], "PixelXDimension": "90", "modified": "2025-06-01"}
    mask = Path("c/masks", f"{medium['assetID']}.png")
    mask.parent.mkdir()
    mask.write_bytes(b"no picture")
    portal.change(record["_id"], associatedMedia=[medium, *record["associatedMedia"][1:]])
    assert collect(portal)[medium["assetID"]]["status"] == "ok"
    assert mask.with_name(f"{mask.name}.1").exists()


def test_a_ledger_that_is_none_is_one_sentence(portal: Portal) -> None:
    Path("c").mkdir()
    Path("c/ledger.sqlite").write_bytes(b"no database at all, but rather long " * 100)
    with pytest.raises(UserError, match=r"c/ledger\.sqlite cannot be used"):
        collect(portal)
    Path("c/ledger.sqlite").unlink()
    Path("c/ledger.sqlite").mkdir()
    with pytest.raises(UserError, match=r"c/ledger\.sqlite cannot be used"):
        collect(portal)
