"""Maps of ready codes and places, their scores and films, and settings that make no map."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from butterflies.encoding.codes import read_codes
from butterflies.errors import UserError
from butterflies.mapping.embedding import EmbedSettings, run
from butterflies.mapping.projection import PCA, Precomputed
from butterflies.mapping.tsne import TSNE
from butterflies.tables import read_table
from butterflies.tracking.provenance import read_provenance
from tests.autoencoders import random_autoencoder
from tests.embeddings import IDS, collection, embedded, place_of, rows_of


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    return str(random_autoencoder(tmp_path / "best.ckpt"))


def test_places_of_ones_own_are_the_map(tmp_path: Path) -> None:
    where = collection(tmp_path / "c", IDS[:20])
    text = "".join(f"{i},{int(i[1:]) ** 2},7\n" for i in reversed(IDS[1:25]))
    Path("xy.csv").write_text(f"assetID,x,y\n{text}")
    place = embedded(where, positions="xy.csv", projection=Precomputed())
    found = rows_of(place)
    assert [place_of(found[i]) for i in IDS[1:20]] == [(n**2, 7) for n in range(1, 20)]
    lost = read_table(place / "map.parquet", "embed").to_pylist()[0]
    assert (lost["assetID"], lost["status"], lost["x"]) == ("b000", "missing", None)
    assert lost["reason"] == "xy.csv has no code of it."
    assert rows_of(place, "neighbours")["b001"]["neighbour_ids"][0] == "b002"
    assert read_provenance(place)["scores"]["map/knn_recall"] == 1


def test_places_and_codes_may_come_from_different_files(tmp_path: Path, checkpoint: str) -> None:
    where = collection(tmp_path / "c", IDS[:20])
    text = "".join(f"{i},{int(i[1:])},7\n" for i in IDS[1:20])
    Path("xy.csv").write_text(f"assetID,x,y\n{text}")
    place = embedded(where, checkpoint, positions="xy.csv", projection=Precomputed())
    assert sorted(rows_of(place, "codes")) == IDS[:20]
    assert sorted(rows_of(place)) == sorted(rows_of(place, "neighbours")) == IDS[1:20]
    reason = read_table(place / "map.parquet", "embed").to_pylist()[0]["reason"]
    assert reason == "There is no place for it among the positions."


def test_ready_codes_are_taken_by_their_ids(tmp_path: Path) -> None:
    where = collection(tmp_path / "c", IDS[:20])
    codes = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    np.save("codes.npy", codes[::-1])
    Path("ids.txt").write_text("\n".join(reversed(IDS[1:21])))
    place = embedded(where, codes="codes.npy", ids="ids.txt", projection=PCA())
    ids, found = read_codes(read_table(place / "codes.parquet", "embed"))
    assert ids == IDS[1:20]
    assert np.array_equal(found, codes[:19])
    reason = read_table(place / "codes.parquet", "embed").to_pylist()[0]["reason"]
    assert reason == "codes.npy has no code of it."


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Nothing tells the codes"),
        ({"codes": "c.npy", "autoencoder": "a.ckpt"}, "give one of them"),
        ({"ids": "ids.txt"}, "ids= goes with codes="),
        ({"positions": "xy.csv"}, "positions= goes with projection=precomputed"),
        ({"projection": Precomputed()}, "positions= goes with projection=precomputed"),
        ({"fit_at_most": 10}, "fit_at_most=10 is too few"),
        ({"projection": None}, "projection= is missing"),
        ({"codes": "codes.npy", "ids": "ids.txt"}, "None of the 2 assetIDs of codes.npy"),
    ],
)
def test_settings_that_do_not_go_together_are_said(
    tmp_path: Path, given: dict[str, Any], sentence: str
) -> None:
    where = collection(tmp_path / "c", IDS[:5])
    np.save("codes.npy", np.ones((2, 2), np.float32))
    Path("ids.txt").write_text("x\ny\n")
    Path("xy.csv").write_text("assetID,x,y\nb001,1,2\n")
    with pytest.raises(UserError, match=sentence):
        run(EmbedSettings(str(where), **given))


def test_codes_that_are_no_numbers_are_said(tmp_path: Path, checkpoint: str) -> None:
    where = collection(tmp_path / "c", IDS[:10])
    state = torch.load(checkpoint, weights_only=True)
    name = next(key for key in state["state_dict"] if key.endswith("components.weight"))
    state["state_dict"][name].fill_(float("nan"))
    torch.save(state, "nan.ckpt")
    with pytest.raises(UserError, match=r"10 of 10 codes are no finite numbers.*b000.*diverged"):
        embedded(where, "nan.ckpt", out="out")
    assert not Path("out/codes.parquet").exists()


def test_a_film_of_the_points_is_made_where_asked_for(tmp_path: Path, checkpoint: str) -> None:
    where = collection(tmp_path / "c", IDS)
    place = embedded(where, checkpoint, projection=TSNE(iterations=50, frames_every=100))
    with Image.open(place / "plots" / "tsne.webp") as film:
        shown = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]
    assert len(shown) == 2
    assert not np.array_equal(shown[0], shown[1])
    assert not (embedded(where, checkpoint, projection=PCA()) / "plots").exists()


def test_scores_stand_in_the_table_and_in_the_provenance(tmp_path: Path, checkpoint: str) -> None:
    place = embedded(collection(tmp_path / "c", IDS), checkpoint, projection=PCA())
    rows, scores = rows_of(place).values(), read_provenance(place)["scores"]
    for name in ("knn_recall", "trustworthiness", "continuity", "genus_purity"):
        mean = np.mean([row[name] for row in rows])
        assert scores[f"map/{name}"] == pytest.approx(mean, abs=1e-6)
    assert scores["map/ranked"] == 40
