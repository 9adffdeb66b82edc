"""How well a whole run went, in three numbers and what each is held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.decomposition import PCA

from butterflies.collection.records import read_records
from butterflies.collection.splits import split_of
from butterflies.encoding.cache import PictureCache, on_white
from butterflies.scores.neighbours import Accuracy, knn_accuracy
from butterflies.tables import ok_rows, read_table
from butterflies.tracking.provenance import read_provenance


@dataclass(frozen=True)
class Quality:
    """Scores of a run.

    Attributes:
        iou: mean IoU of the segmenter on test specimens.
        l1: mean reconstruction error of test specimens, in 0..1.
        pca_l1: the same by a PCA of as many components as the code has numbers, fitted on the
            training specimens.
        knn: share of specimens whose genus their 5 nearest on the map tell, cross-validated.
        chance: share of the most frequent genus.
    """

    iou: float
    l1: float
    pca_l1: float
    knn: float
    chance: float


def quality(collection: Path, segmenter: Path, autoencoder: Path, embedded: Path) -> Quality:
    """Scores a run from its folders: a segmenter's, an autoencoder's, an embedding's."""
    plane = genus_knn(collection, read_points(embedded))
    return Quality(
        iou=read_provenance(segmenter)["scores"]["test/iou"],
        l1=read_provenance(autoencoder)["scores"]["test/l1"],
        pca_l1=pca_error(collection),
        knn=plane.plain,
        chance=plane.majority,
    )


def read_points(embedded: Path) -> dict[str, npt.NDArray[np.float64]]:
    """The place on the map, (2,), of every specimen that has one."""
    rows = ok_rows(read_table(embedded / "map.parquet", "python embed.py"))
    return {row["assetID"]: np.array([row["x"], row["y"]]) for row in rows}


def genus_knn(collection: Path, vectors: Mapping[str, npt.NDArray[Any]]) -> Accuracy:
    """How often 5 neighbours tell the genus; cross-validated, folds by specimen.

    Args:
        collection: its records tell genus and specimen.
        vectors: a code or place of each specimen, by assetID.
    """
    rows = [r for r in ok_rows(read_records(collection)) if r["assetID"] in vectors]
    stacked = np.stack([vectors[row["assetID"]] for row in rows])
    return knn_accuracy(stacked, [r["genus"] for r in rows], [r["specimen"] for r in rows])


def pixels(collection: Path, cutouts: str = "cutouts") -> dict[str, npt.NDArray[np.float32]]:
    """Every cut-out on white as a vector of 3 * 128 * 128 values in 0..1, by assetID."""
    cache = PictureCache(collection, cutouts)
    colours, _ = on_white(torch.from_numpy(np.array(cache.pictures)))
    return dict(zip(cache.ids, colours.flatten(1).numpy(), strict=True))


def pca_error(collection: Path, components: int = 128) -> float:
    """Mean absolute error on test specimens of a PCA fitted on training specimens, in 0..1."""
    specimens = {r["assetID"]: r["specimen"] for r in ok_rows(read_records(collection))}
    parts: dict[str, list[npt.NDArray[np.float32]]] = {"train": [], "validation": [], "test": []}
    for key, vector in pixels(collection).items():
        if key in specimens:  # not withdrawn since it was cut out
            parts[split_of(specimens[key])].append(vector)
    train, test = np.stack(parts["train"]), np.stack(parts["test"])
    pca = PCA(min(components, len(train)), svd_solver="randomized", random_state=0).fit(train)
    rebuilt = pca.inverse_transform(pca.transform(test)).clip(0, 1)
    return float(np.abs(rebuilt - test).mean())
