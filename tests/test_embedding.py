from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from butterflies.collection.records import table_of, write_records
from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.cache import PictureCache, on_white
from butterflies.encoding.codes import codes_schema, encode_collection, read_codes
from butterflies.errors import UserError
from butterflies.mapping.embedding import EmbedSettings, run
from butterflies.mapping.projection import PCA
from butterflies.mapping.tsne import TSNE
from butterflies.tables import read_table
from butterflies.tracking.provenance import read_provenance
from tests.autoencoders import random_autoencoder
from tests.cutout_sets import blob, write_cutouts

IDS = [f"b{number:03d}" for number in range(30)]
OPEN = ("drift", "genus_purity", "genus_purity_codes")
"""Columns that are null where nothing is known to compare with."""
OTHERS = {"a-none": ("no_specimen", "Nothing was found."), "z-bad": ("unreadable", "Cut short.")}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    pictures = {i: blob(n) for n, i in enumerate(IDS)}
    return write_cutouts(tmp_path / "blobs", pictures, others=OTHERS)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return random_autoencoder(tmp_path / "best.ckpt")


def settings(collection: Path, checkpoint: Path, **changed: Any) -> EmbedSettings:
    given = {"projection": PCA(), **changed}
    return EmbedSettings(str(collection), str(checkpoint), **given)


def tables(place: Path) -> dict[str, Any]:
    names = ("codes", "neighbours", "map")
    return {name: read_table(place / f"{name}.parquet", "embed") for name in names}


def test_every_photograph_has_its_row_in_every_table(collection: Path, checkpoint: Path) -> None:
    for table in tables(run(settings(collection, checkpoint))).values():
        assert table["assetID"].to_pylist() == sorted([*IDS, *OTHERS])
        for row in table.to_pylist():
            others = [v for k, v in row.items() if k not in ("assetID", "status", "reason", *OPEN)]
            if row["assetID"] in OTHERS:
                assert (row["status"], row["reason"]) == OTHERS[row["assetID"]]
                assert others == [None] * len(others)
            else:
                assert (row["status"], row["reason"]) == ("ok", None)
                assert None not in others


def withdraw(collection: Path, ids: list[str]) -> None:
    """Records in which these photographs are withdrawn, beside cut-outs from before."""
    rows = [
        {
            "assetID": i,
            "specimen": i,
            "status": "withdrawn" if i in ids else "ok",
            "reason": "Gone.",
        }
        for i in IDS
    ]
    write_records(collection, table_of(rows))


def test_a_withdrawn_photograph_has_no_code_though_its_cutout_is_there(
    collection: Path, checkpoint: Path
) -> None:
    whole = encode_collection(checkpoint, collection)
    withdraw(collection, [IDS[3], IDS[29]])
    found = tables(run(settings(collection, checkpoint)))
    ids, codes = read_codes(found["codes"])
    assert ids == [i for i in IDS if i not in (IDS[3], IDS[29])]
    before = dict(zip(*read_codes(whole), strict=True))
    assert np.allclose(codes, [before[i] for i in ids], atol=1e-5)
    for table in found.values():
        row = table.to_pylist()[table["assetID"].to_pylist().index(IDS[3])]
        assert (row["status"], row["reason"]) == ("withdrawn", "Gone.")
    near = {i for row in found["neighbours"]["neighbour_ids"].to_pylist() for i in row or ()}
    assert near == set(ids)


def test_a_collection_of_withdrawn_photographs_is_said(collection: Path, checkpoint: Path) -> None:
    withdraw(collection, IDS)
    with pytest.raises(UserError, match=r"All 30 specimens of .* are withdrawn\."):
        encode_collection(checkpoint, collection)


def test_codes_are_those_of_the_picture_of_that_id(collection: Path, checkpoint: Path) -> None:
    table = encode_collection(checkpoint, collection)
    assert table.schema.equals(codes_schema(6))
    rows = {row["assetID"]: row for row in table.to_pylist()}
    cache = PictureCache(collection)
    model = Autoencoder.load_from_checkpoint(checkpoint).eval()
    for row in (3, 20):
        picture, _ = on_white(torch.from_numpy(cache.pictures[row : row + 1].copy()))
        with torch.no_grad():
            code = model.encode(picture)
            error = float((model.decode(code) - picture).abs().mean())
        assert np.allclose(rows[IDS[row]]["code"], code[0].numpy(), atol=1e-4)
        assert rows[IDS[row]]["reconstruction_error"] == pytest.approx(error, abs=1e-5)


def test_codes_do_not_depend_on_the_order_of_the_tables(collection: Path, checkpoint: Path) -> None:
    first = encode_collection(checkpoint, collection)
    write_cutouts(
        collection, {i: blob(IDS.index(i)) for i in reversed(IDS)}, others=OTHERS, mark="shuffled"
    )
    assert encode_collection(checkpoint, collection).equals(first)


def test_codes_come_back_as_they_were(collection: Path, checkpoint: Path) -> None:
    table = encode_collection(checkpoint, collection)
    ids, codes = read_codes(table)
    assert ids == IDS
    assert codes.dtype == np.float32
    by_id = {row["assetID"]: row["code"] for row in table.to_pylist()}
    assert np.array_equal(codes, np.array([by_id[i] for i in ids], np.float32))


def test_neighbours_are_those_of_the_codes(collection: Path, checkpoint: Path) -> None:
    found = tables(run(settings(collection, checkpoint)))
    ids, codes = read_codes(found["codes"])
    rows = {row["assetID"]: row for row in found["neighbours"].to_pylist()}
    apart = np.linalg.norm(codes - codes[4], axis=1)
    expected = [ids[row] for row in np.argsort(apart)[1:13]]
    assert rows[ids[4]]["neighbour_ids"] == expected
    assert np.allclose(rows[ids[4]]["distances"], np.sort(apart)[1:13])


@pytest.mark.parametrize("projection", [PCA(), TSNE(perplexity=5, iterations=50)])
def test_same_inputs_same_map(collection: Path, checkpoint: Path, projection: Any) -> None:
    made = [
        tables(run(settings(collection, checkpoint, out=out, projection=projection)))
        for out in ("one", "two")
    ]
    assert made[0] == made[1]
    xy = np.column_stack([made[0]["map"][axis].drop_null().to_numpy() for axis in "xy"])
    assert len(np.unique(xy, axis=0)) == len(IDS)


def test_an_embedding_knows_where_it_comes_from(collection: Path, checkpoint: Path) -> None:
    place = run(settings(collection, checkpoint))
    made = read_provenance(place)
    assert place.parent == Path("runs/embed")
    assert made["status"] == "finished"
    assert made["collection"] == str(collection.resolve())
    assert made["cutouts"] == {"name": "cutouts", "fingerprint": "mark"}
    assert set(made["timings"]) == {"encoding", "neighbours", "projection", "trust"}


def test_nothing_is_done_twice(
    collection: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = run(settings(collection, checkpoint))
    before = (place / "map.parquet").stat().st_mtime_ns
    assert run(settings(collection, checkpoint)) == place
    assert (place / "map.parquet").stat().st_mtime_ns == before
    assert "Nothing changed" in capsys.readouterr().out
    assert run(settings(collection, checkpoint, projection=TSNE(perplexity=5))) != place


@dataclass
class Stopped(PCA):
    def project(self, codes: Any, *given: Any, **named: Any) -> Any:
        if not Path("go").exists():
            raise KeyboardInterrupt
        return super().project(codes, *given, **named)


def test_an_embedding_that_was_stopped_keeps_its_codes(collection: Path, checkpoint: Path) -> None:
    wanted = settings(collection, checkpoint, out="out", projection=Stopped())
    with pytest.raises(KeyboardInterrupt):
        run(wanted)
    before = Path("out/codes.parquet").stat().st_mtime_ns
    assert not Path("out/map.parquet").exists()
    Path("go").touch()
    run(wanted)
    assert Path("out/codes.parquet").stat().st_mtime_ns == before
    whole = tables(run(settings(collection, checkpoint, out="whole", projection=Stopped())))
    assert tables(Path("out")) == whole


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_handful_of_specimens_has_a_map_too(tmp_path: Path, checkpoint: Path, count: int) -> None:
    few = write_cutouts(tmp_path / "few", {i: blob(n) for n, i in enumerate(IDS[:count])})
    found = tables(run(settings(few, checkpoint)))
    assert {len(ids) for ids in found["neighbours"]["neighbour_ids"].to_pylist()} == {count - 1}
    assert found["map"]["x"].null_count == 0


def test_mistakes_are_told_before_a_run_folder_is_made(collection: Path, checkpoint: Path) -> None:
    Path("text.ckpt").write_text("no checkpoint")
    Path("bare").mkdir()
    for where, what, sentence in (
        (collection, Path("gone.ckpt"), "does not exist: give autoencoder="),
        (collection, Path("text.ckpt"), "holds no autoencoder"),
        (Path("bare"), checkpoint, "`butterflies cutout` makes it"),
    ):
        with pytest.raises(UserError, match=sentence):
            run(settings(where, what))
    assert not Path("runs").exists()
