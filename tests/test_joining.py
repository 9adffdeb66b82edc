from pathlib import Path

import numpy as np
import pytest

from butterflies.collection.records import read_records, table_of, write_records
from butterflies.errors import UserError
from butterflies.segmentation.joining import join
from butterflies.segmentation.store import CutoutStore
from tests.cutout_sets import blob, write_cutouts


def collection(folder: Path, first: int, count: int, **further: str) -> Path:
    """`count` blobs and a record of each; the pictures tell whose they are."""
    ids = [f"b{number:02d}" for number in range(first, first + count)]
    others = {f"{folder.name}-none": ("no_specimen", "Nothing was found.")}
    write_cutouts(folder, {i: blob(int(i[1:]) + first) for i in ids}, others=others)
    rows = [
        {"assetID": i, "status": "ok", "specimen": i, "photo": f"photos/{i}.jpg", **further}
        for i in ids
    ]
    rows[0]["photo"] = "/elsewhere/0.jpg"
    write_records(folder, table_of(rows))
    return folder


def test_every_picture_of_both_is_there_and_the_last_holds(tmp_path: Path) -> None:
    one, two = collection(tmp_path / "one", 0, 5), collection(tmp_path / "two", 3, 4, genus="P")
    joined = join([(one, "cutouts"), (two, "cutouts")], tmp_path / "both")
    store = CutoutStore(joined)
    assert store.ids == [f"b{number:02d}" for number in range(7)]
    for asset_id in store.ids:
        source = CutoutStore(two if asset_id >= "b03" else one)
        assert np.array_equal(store.image(asset_id), source.image(asset_id))
    reasons = {row["assetID"]: row["reason"] for row in store.table.to_pylist()}
    assert reasons["one-none"] == reasons["two-none"] == "Nothing was found."
    records = {row["assetID"]: row for row in read_records(joined).to_pylist()}
    assert records["b01"]["photo"] == str(tmp_path / "one" / "photos" / "b01.jpg")
    assert records["b04"]["photo"] == str(tmp_path / "two" / "photos" / "b04.jpg")
    assert records["b00"]["photo"] == "/elsewhere/0.jpg"
    assert (records["b01"]["genus"], records["b04"]["genus"]) == (None, "P")


def test_joined_again_it_is_the_same_and_it_changes_with_its_parts(tmp_path: Path) -> None:
    sets = [(collection(tmp_path / name, 3 * k, 3), "cutouts") for k, name in enumerate("ab")]
    marks = [CutoutStore(join(sets, tmp_path / "both")).fingerprint for _ in range(2)]
    write_cutouts(tmp_path / "b", {"b03": blob(0)}, mark="another")
    marks.append(CutoutStore(join(sets, tmp_path / "both")).fingerprint)
    assert marks[0] == marks[1] != marks[2]


def test_collections_without_records_are_joined(tmp_path: Path) -> None:
    one = write_cutouts(tmp_path / "one", {"a": blob(1)})
    joined = join([(one, "cutouts"), (one, "cutouts")], tmp_path / "both")
    assert CutoutStore(joined).ids == ["a"]
    assert not (joined / "records.parquet").exists()


def test_a_collection_without_cutouts_is_said(tmp_path: Path) -> None:
    one = collection(tmp_path / "one", 0, 2)
    with pytest.raises(UserError, match="`butterflies cutout` makes it"):
        join([(tmp_path / "bare", "cutouts"), (one, "cutouts")], tmp_path / "both")
