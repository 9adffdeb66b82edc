"""Maps that grow, and maps like former ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from butterflies.encoding.codes import encode_collection
from butterflies.errors import UserError
from butterflies.mapping.embedding import EmbedSettings, run
from butterflies.mapping.projection import PCA, Precomputed
from butterflies.mapping.tsne import TSNE
from butterflies.rendering.embedded import open_embedding
from butterflies.tracking.provenance import read_provenance
from tests.autoencoders import random_autoencoder
from tests.cutout_sets import blob, write_cutouts
from tests.embeddings import IDS, collection, embedded, place_of, rows_of, write_codes


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    return str(random_autoencoder(tmp_path / "best.ckpt"))


@pytest.mark.parametrize("projection", [TSNE(perplexity=5, iterations=50), PCA()])
def test_a_collection_that_has_grown_is_added_and_nothing_moves(
    tmp_path: Path, checkpoint: str, projection: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    where = collection(tmp_path / "c", IDS[:35])
    old = embedded(where, checkpoint, projection=projection, out="old")
    before, codes = rows_of(old), rows_of(old, "codes")
    collection(where, IDS, mark="grown")
    new = embedded(where, add_to=str(old), out="new")
    found = rows_of(new)
    assert sorted(found) == IDS
    assert all(place_of(found[i]) == place_of(before[i]) for i in IDS[:35])
    assert [i for i in IDS if found[i]["added"]] == IDS[35:]
    assert not any(row["added"] for row in before.values())
    assert all(rows_of(new, "codes")[i] == codes[i] for i in IDS[:35])
    assert "Added 5 specimens to 35 that stay where they were; " in capsys.readouterr().out
    made = read_provenance(new)
    assert made["collection"] == str(where.resolve())
    assert (made["added_to"]["added"], made["added_to"]["left"]) == (5, 0)
    assert made["settings"]["projection"]["class"] == type(projection).__name__
    near = rows_of(new, "neighbours")
    assert {i for row in near.values() for i in row["neighbour_ids"]} == set(IDS)


def test_codes_of_added_specimens_are_those_they_would_have_had(
    tmp_path: Path, checkpoint: str
) -> None:
    where = collection(tmp_path / "c", IDS[:35])
    old = embedded(where, checkpoint, out="old")
    collection(where, IDS, mark="grown")
    found = rows_of(embedded(where, add_to=str(old), out="new"), "codes")
    for row in encode_collection(Path(checkpoint), where).to_pylist():
        assert np.allclose(found[row["assetID"]]["code"], row["code"], atol=1e-4)


def test_a_collection_of_new_ones_only_is_joined_with_the_old(
    tmp_path: Path, checkpoint: str
) -> None:
    first, second = collection(tmp_path / "a", IDS[:34]), collection(tmp_path / "b", IDS[30:])
    old = embedded(first, checkpoint, out="old")
    new = embedded(second, add_to=str(old), out="new")
    assert sorted(rows_of(new)) == IDS
    assert [i for i, row in rows_of(new).items() if row["added"]] == IDS[34:]
    opened = open_embedding(new)
    assert opened.collection == (Path("new") / "collection").resolve()
    assert opened.ids == IDS
    pictures = [opened.store.image(i).tobytes() for i in IDS]
    assert len(set(pictures)) == len(IDS)
    assert rows_of(new)["b001"]["genus_purity"] is not None
    again = embedded(second, add_to=str(new), out="again")
    assert not any(row["added"] for row in rows_of(again).values())


def test_who_is_no_longer_there_leaves_the_map(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = collection(tmp_path / "c", IDS[:35])
    old = embedded(where, checkpoint, out="old")
    refused = {"b003": ("refused", "Blurred.")}
    pictures = {i: blob(n) for n, i in enumerate(IDS) if i not in refused}
    write_cutouts(where, pictures, others=refused, mark="grown")
    new = embedded(where, add_to=str(old), out="new")
    assert sorted(rows_of(new)) == sorted(set(IDS) - set(refused))
    assert "stay where they were, 1 are no longer there" in capsys.readouterr().out


def test_many_or_far_specimens_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = collection(tmp_path / "c", IDS)
    codes = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    codes[38:] += 50
    for name, count in (("few", 35), ("most", 38), ("half", 20)):
        write_codes(Path(f"{name}.parquet"), IDS[:count], codes[:count])
    write_codes(Path("all.parquet"), IDS, codes)
    said = {}
    for name in ("few", "most", "half"):
        old = embedded(where, codes=f"{name}.parquet", out=name)
        capsys.readouterr()
        place = embedded(where, codes="all.parquet", add_to=str(old), out=f"{name}-new")
        said[name] = capsys.readouterr().out
        assert "left out" not in said[name]
        assert read_provenance(place)["added_to"]["far"] >= 2
    assert "so far from what is known" in said["most"]
    assert "Added 2 specimens to 38 that stay where they were; 2 of them are far" in said["most"]
    assert "so many" in said["half"]


def test_only_what_fits_may_be_added(tmp_path: Path, checkpoint: str) -> None:
    where = collection(tmp_path / "c", IDS[:10])
    old = embedded(where, checkpoint, out="old")
    other = random_autoencoder(tmp_path / "other.ckpt", seed=1)
    write_codes(Path("short.parquet"), IDS, np.ones((40, 3), np.float32))
    collection(where, IDS, mark="grown")
    for given, sentence in (
        ({"autoencoder": str(other)}, "is not the one that made the codes"),
        ({"codes": "short.parquet"}, "are 3 numbers each, those of old 6"),
        ({"align_to": str(old)}, "goes neither with align_to="),
    ):
        with pytest.raises(UserError, match=sentence):
            run(EmbedSettings(str(where), add_to=str(old), out="new", **given))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="add_to=nowhere holds no finished embedding"):
        embedded(where, checkpoint, add_to="nowhere")


@pytest.mark.parametrize("projection", [TSNE(perplexity=5, iterations=100), PCA()])
def test_an_aligned_map_lies_like_the_former_one(tmp_path: Path, projection: Any) -> None:
    where = collection(tmp_path / "c", IDS[:38])
    clusters = 20 * np.eye(3, 5, dtype=np.float32)[np.arange(40) % 3]
    noise = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    write_codes(Path("codes.parquet"), IDS, clusters + noise)
    old = embedded(where, codes="codes.parquet", projection=projection, out="old")
    rows = rows_of(old)
    mirrored = {i: (-row["y"], row["x"]) for i, row in rows.items()}
    mirrored["b000"] = mirrored["b037"]  # of another cluster
    text = "".join(f"{i},{-x},{y}\n" for i, (x, y) in mirrored.items())
    Path("xy.csv").write_text(f"assetID,x,y\n{text}")
    turned = embedded(where, positions="xy.csv", projection=Precomputed(), out="turned")
    collection(where, IDS, mark="grown")
    aligned = {"projection": projection, "align_to": str(turned)}
    new = embedded(where, codes="codes.parquet", out="new", **aligned)
    found, wanted = rows_of(new), rows_of(turned)
    both = np.array([[place_of(found[i]), place_of(wanted[i])] for i in IDS[1:38]])
    for axis in (0, 1):
        assert np.corrcoef(both[:, 0, axis], both[:, 1, axis])[0, 1] > 0.7
    assert [i for i in IDS if found[i]["drift"] is None] == IDS[38:]
    drift = {i: row["drift"] for i, row in found.items() if row["drift"] is not None}
    assert max(drift.values()) < 1.5
    assert drift["b000"] > np.median(list(drift.values()))
    assert read_provenance(new)["scores"]["map/drift"] == pytest.approx(
        np.mean(list(drift.values())), abs=1e-6
    )


def test_a_map_of_others_cannot_be_aligned_to(tmp_path: Path, checkpoint: str) -> None:
    old = embedded(collection(tmp_path / "a", IDS[:20]), checkpoint, projection=PCA(), out="old")
    other = collection(tmp_path / "b", IDS[18:])
    with pytest.raises(UserError, match="shares 2 specimens with this collection: at least 3"):
        embedded(other, checkpoint, align_to=str(old), out="new")
