"""Contact sheets: whom they show, and that nothing printed on them can stop a run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from butterflies.collection.records import read_records, write_records
from butterflies.segmentation.cutouts import CutoutSettings, run
from butterflies.segmentation.pictures import encode
from butterflies.segmentation.sheets import (
    COLUMNS,
    ROWS,
    SHEETS,
    quality,
    sheet_path,
    verdict,
    write_sheets,
)
from butterflies.segmentation.store import CutoutStore
from tests.cutout_sets import blob
from tests.specimens import collection, photograph, wings

GOOD = {
    "box_w": 300,
    "box_h": 200,
    "scale": 0.5,
    "confidence": 0.99,
    "touches_border": False,
    "components": 1,
    "asymmetry": 0.02,
    "solidity": 0.8,
    "damage": 0.0,
    "rotation_confidence": 0.9,
}


def row(**changes: Any) -> dict[str, Any]:
    return {"assetID": "a", **GOOD, **changes}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"confidence": 0.6}, "confidence 0.60"),
        ({"touches_border": True}, "at the border"),
        ({"components": 4}, "4 parts"),
        ({"box_w": 40, "box_h": 30, "scale": 1.0}, "only 40 px"),
        ({"solidity": 0.99}, "solidity 0.99"),
        ({"damage": 0.9}, "damage 0.90"),
        ({"asymmetry": 0.4}, "asymmetry 0.40"),
    ],
)
def test_what_is_worse_ranks_lower_and_says_why(changes: dict[str, Any], reason: str) -> None:
    assert 0 < quality(row(**changes)) < quality(row()) - 0.05
    assert verdict(row(**changes)).split(" · ")[0] == reason


def test_closed_wings_are_not_held_against_a_specimen() -> None:
    closed = row(damage=0.8, asymmetry=0.5, rotation_confidence=0.3)
    assert quality(closed) >= quality(row())
    assert "asymmetry" not in verdict(closed)
    assert quality(row(damage=None, asymmetry=None, rotation_confidence=0.0)) == quality(closed)


def test_the_sheets_show_the_first_and_the_last_in_a_grid(tmp_path: Path) -> None:
    count = COLUMNS * ROWS + 8
    rows = [row(assetID=f"a{n:03d}", confidence=(n + 1) / count) for n in range(count)]
    asked: list[str] = []

    def data(asset_id: str) -> bytes:
        asked.append(asset_id)
        return encode(Image.fromarray(blob(int(asset_id[1:]))))

    write_sheets(tmp_path, rows, {}, data)
    ids = [one["assetID"] for one in rows]
    assert asked == [*ids[::-1][: COLUMNS * ROWS], *ids[: COLUMNS * ROWS]]
    for which in SHEETS:
        with Image.open(sheet_path(tmp_path, which)) as sheet:
            assert sheet.width > 1000
            assert np.asarray(sheet.convert("L")).min() < 60


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ægeria écaillée",
        "蝶 蛱蝶",
        "\x00\x1b[31m\nDROP",
        "فراشة",
        "🦋" * 40,
        "x" * 500,
        "a\u0301" * 90,
    ],
)
def test_any_genus_and_any_id_can_be_printed(tmp_path: Path, text: str) -> None:
    one = encode(Image.fromarray(blob(1)))
    write_sheets(tmp_path, [row(assetID=text or "b")], {text or "b": text}, lambda _: one)
    assert all(sheet_path(tmp_path, which).is_file() for which in SHEETS)


def contents(folder: Path) -> list[bytes]:
    return [sheet_path(folder / "cutouts", which).read_bytes() for which in SHEETS]


def test_the_sheets_are_made_with_the_table_and_only_then(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", {f"a{n}": photograph(wings(seed=n), n) for n in range(3)})
    settings = CutoutSettings(str(folder), "contrast", workers=1)
    run(settings)
    first, mark = contents(folder), CutoutStore(folder).fingerprint
    records = read_records(folder)
    named = [{**one, "genus": "Vanessa"} for one in records.to_pylist()]
    write_records(folder, records.from_pylist(named, records.schema))
    run(settings)
    assert contents(folder) == first, "the same table, the same sheets"
    assert CutoutStore(folder).fingerprint == mark
    sheet_path(folder / "cutouts", "best").unlink()
    run(settings)
    assert contents(folder)[0] != first[0], "drawn again, with the genus"
    Image.fromarray(photograph(wings(seed=7), 7)).save(folder / "photos/a0.png")
    before = contents(folder)
    run(settings)
    assert contents(folder)[0] != before[0]


def test_a_set_without_a_cutout_has_empty_sheets(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", {"a": np.full((60, 80, 3), 240, np.uint8)})
    run(CutoutSettings(str(folder), "contrast", workers=1))
    assert all(len(sheet) > 100 for sheet in contents(folder))
