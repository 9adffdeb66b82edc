"""Codes of specimens: whose they are, and how far they tell genus and sex."""

from pathlib import Path

import numpy as np
import pytest
import torch

from butterflies.encoding import seen
from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.codes import encode
from butterflies.encoding.data import Cutouts
from butterflies.encoding.labels import Label, read_labels
from butterflies.encoding.seen import Seen, knn_scores
from tests.watched import gallery, write_watched


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    return write_watched(tmp_path / "collection")


def test_of_many_training_pictures_always_the_same_answer(
    collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "ANSWERING", 10)
    first, second = (gallery(collection, seed=seed).rows["train"] for seed in (0, 1))
    assert first.tolist() == second.tolist() == sorted(set(first.tolist()))
    assert len(first) == 10
    assert set(first) <= {int(i[1:]) for i in Cutouts(str(collection)).assets()["train"]}


def test_codes_are_those_that_embed_would_make(collection: Path) -> None:
    place, model = gallery(collection), Autoencoder(8, width=4).eval()
    rows = np.arange(3, 20)
    with torch.no_grad():
        found = place.see(model, rows)
    assert np.array_equal(found.codes, encode(model, np.array(place.pictures), rows)[0])
    assert [label.specimen for label in found.labels] == [f"s{row}" for row in rows]


def placed(*places: tuple[float, str, str, str]) -> Seen:
    """Specimens at a place on a line: genus, epithet and sex."""
    codes = np.array([[place] for place, *_ in places], np.float32)
    labels = [
        Label(f"s{n}-{place}", genus, f"{genus} {epithet}", sex or None)
        for n, (place, genus, epithet, sex) in enumerate(places)
    ]
    return Seen(np.arange(len(places)), codes, labels)


def test_held_out_species_and_unknown_sexes_count_as_they_should() -> None:
    known = placed(
        *[(0.1, "A", "x", "male")] * 5,
        *[(0.3, "B", "x", "female")] * 5,
        *[(9.0, "A", "y", "")] * 5,
    )
    scores = knn_scores(known, placed((0.0, "A", "x", ""), (0.28, "B", "z", "male")))
    assert scores["knn_genus"] == scores["knn_genus_balanced"] == 1
    assert scores["knn_genus_species_out"] == 0.5
    assert (scores["knn_sex"], scores["knn_sex_majority"]) == (0, 1)


def test_labels_are_read_by_asset_id(collection: Path) -> None:
    labels = read_labels(collection, ["b061", "nobody", "b000"])
    assert labels[0] == Label("s1", "Ornithoptera", "Ornithoptera y", "female")
    assert labels[1] == Label("nobody")
    assert labels[2].specimen == "s0"
