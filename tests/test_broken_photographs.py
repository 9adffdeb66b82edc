"""Broken photographs: every one gets a row with a status, and none stops a run."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from butterflies.collection.photos import Reduced, open_reduced, probe
from butterflies.collection.records import table_of, write_records
from butterflies.segmentation import parts, specimen
from butterflies.segmentation.cutouts import CutoutSettings, run
from butterflies.segmentation.store import CutoutStore, read_cutouts
from butterflies.tables import STATUSES
from tests.specimens import photograph, wings

KINDS = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "webp": "WEBP"}


def encoded(kind: str, size: tuple[int, int] = (240, 320), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    picture = Image.fromarray(photograph(wings(*size)))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257)
    else:
        picture = picture.convert(mode)
    picture.save(file, kind)
    return file.getvalue()


def spoilt() -> dict[str, bytes]:
    """Files by name: cut short, with wrong bytes, under a wrong name, of odd kinds."""
    random = np.random.default_rng(0)
    files: dict[str, bytes] = {}
    for suffix, kind in KINDS.items():
        data = encoded(kind)
        for n in range(4):
            files[f"short{n}.{suffix}"] = data[: int(random.integers(1, len(data)))]
            flipped = np.frombuffer(data, np.uint8).copy()
            where = random.integers(0, len(data), 1 + 4 * n)
            flipped[where] ^= random.integers(1, 256, len(where), dtype=np.uint8)
            files[f"flipped{n}.{suffix}"] = flipped.tobytes()
        files[f"empty.{suffix}"] = b""
        files[f"noise.{suffix}"] = random.bytes(3000)
        files[f"page.{suffix}"] = b"<!DOCTYPE html><html>no</html>"
        point = io.BytesIO()
        Image.new("RGB", (1, 1)).save(point, kind)
        files[f"point.{suffix}"] = point.getvalue()
    files["large-short.jpg"] = encoded("JPEG", (1500, 2000))[:-5000]
    files["misnamed.png"], files["misnamed.jpg"] = encoded("JPEG"), encoded("PNG")
    files["sixteen.png"] = encoded("PNG", mode="I;16")
    files["sixteen.tif"] = encoded("TIFF", mode="I;16")
    files["cmyk.jpg"] = encoded("JPEG", mode="CMYK")
    files["cmyk-large.jpg"] = encoded("JPEG", (1500, 2000), mode="CMYK")
    files["grey.jpg"] = encoded("JPEG", mode="L")
    files["palette.png"] = encoded("PNG", mode="P")
    return files


def folder_of(place: Path, files: dict[str, bytes]) -> Path:
    """A collection that holds every file to be good: they broke since they were collected."""
    (place / "photos").mkdir(parents=True)
    rows = []
    for name, data in files.items():
        path = place / "photos" / name
        path.write_bytes(data)
        row = {"assetID": name.replace(".", "-"), "status": "ok", "specimen": name}
        stat = path.stat()
        known = {"photo_bytes": stat.st_size, "photo_mtime_ns": stat.st_mtime_ns, "sha256": name}
        rows.append({**row, **known, "photo": f"photos/{name}", "width": 320, "height": 240})
    write_records(place, table_of(rows))
    return place


@pytest.mark.parametrize("segmenter", ["contrast", "alpha"])
def test_every_broken_photograph_gets_a_row_and_a_status(tmp_path: Path, segmenter: str) -> None:
    files = spoilt()
    folder = folder_of(tmp_path / "c", files)
    run(CutoutSettings(str(folder), segmenter, workers=1))
    rows = {row["assetID"]: row for row in read_cutouts(folder).to_pylist()}
    assert set(rows) == {name.replace(".", "-") for name in files}
    assert all(row["status"] in STATUSES for row in rows.values())
    assert all((row["status"] == "ok") == (row["reason"] is None) for row in rows.values())
    assert all(row["status"] != "ok" for name, row in rows.items() if name.startswith("empty"))
    for name, row in rows.items():
        seen = probe(folder / "photos" / name.replace("-jpg", ".jpg").replace("-png", ".png"))
        if seen.status in ("unreadable", "refused"):
            assert row["status"] == seen.status
    pictures = CutoutStore(folder)
    assert all(pictures.image(asset_id).shape[2] == 4 for asset_id in pictures.ids)


def test_odd_but_good_photographs_are_cut_out(tmp_path: Path) -> None:
    files = {name: data for name, data in spoilt().items() if name.split(".")[0] in GOOD}
    folder = folder_of(tmp_path / "c", files)
    run(CutoutSettings(str(folder), "contrast", workers=1))
    found = {row["assetID"]: row["status"] for row in read_cutouts(folder).to_pylist()}
    assert found == {name.replace(".", "-"): "ok" for name in files}


GOOD = ("misnamed", "sixteen", "cmyk", "cmyk-large", "grey")


def test_a_photograph_that_goes_while_it_is_cut_out_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cut-out of a small specimen needs the photograph a second time, decoded larger."""
    pixels = np.full((1200, 1600, 3), 238, np.uint8)
    pixels[300:900, 400:1200][wings(600, 800)] = (60, 40, 30)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    folder = folder_of(tmp_path / "c", {"a.jpg": file.getvalue()})

    def gone(path: Path, least_px: int | None) -> Reduced:
        path.unlink()
        return open_reduced(path, least_px)

    monkeypatch.setattr(parts, "_CONTRAST_PX", 400)
    monkeypatch.setattr(specimen, "open_reduced", gone)
    run(CutoutSettings(str(folder), "contrast", workers=1))
    assert read_cutouts(folder)["status"].to_pylist() == ["missing"]
