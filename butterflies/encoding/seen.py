"""Specimens with their codes, and how far neighbouring codes tell what no training was told."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.cache import on_white
from butterflies.encoding.codes import Codes
from butterflies.encoding.data import Cutouts
from butterflies.encoding.labels import Label, read_labels
from butterflies.scores.neighbours import (
    Accuracy,
    Known,
    TooFewError,
    species_held_out,
    told_by,
)

Rows = npt.NDArray[np.int64]

BATCH = 64
"""Pictures encoded or decoded at a time: they stay in a processor's cache, half again as fast as
256 on one core."""

ANSWERING = 10_000
"""Training pictures that answer at most."""


@dataclass(frozen=True)
class Seen:
    """Specimens and their codes.

    Attributes:
        rows: (n,) of the cache.
        codes: (n, d).
        labels: n.
    """

    rows: Rows
    codes: Codes
    labels: Sequence[Label]

    def of(self, field: str) -> list[str | None]:
        """One field of every label."""
        return [getattr(label, field) for label in self.labels]

    def telling(self, field: str, group: str) -> Known:
        """These specimens as those who tell a field to others than their own group."""
        return Known(self.codes, self.of(field), self.of(group))

    def joined(self, other: "Seen") -> "Seen":
        """These specimens and others, each once."""
        rows, first = np.unique(np.concatenate([self.rows, other.rows]), return_index=True)
        labels = [*self.labels, *other.labels]
        codes = np.concatenate([self.codes, other.codes])[first]
        return Seen(rows, codes, [labels[number] for number in first])


class Gallery:
    """The pictures of a data module that is set up, by part, and their labels.

    Args:
        data: where there are more training pictures than ANSWERING, so many are drawn: the same
            in every training on these cut-outs, so that their scores can be compared.

    Raises:
        UserError: the collection's records cannot be read.
    """

    def __init__(self, data: Cutouts) -> None:
        if data.cache is None:
            raise RuntimeError("setup() of the data comes before this.")
        self.pictures, self.ids = data.cache.pictures, data.cache.ids
        self.labels = read_labels(data.collection, self.ids)
        row_of = {asset_id: row for row, asset_id in enumerate(self.ids)}
        self.rows = {
            part: np.array([row_of[asset_id] for asset_id in ids], dtype=np.int64)
            for part, ids in data.parts.items()
        }
        self.rows["train"] = drawn(self.rows["train"], ANSWERING)

    def see(self, model: Autoencoder, rows: Rows) -> Seen:
        """Encodes the pictures of rows as they are, without augmentation."""
        codes = [
            model.encode(self.white(rows[start : start + BATCH], model.device)).float().cpu()
            for start in range(0, len(rows), BATCH)
        ]
        return Seen(rows, torch.cat(codes).numpy(), [self.labels[row] for row in rows])

    def white(self, rows: Rows, device: torch.device) -> Tensor:
        """The pictures of rows on white, float (n, 3, 128, 128), 0 to 1."""
        return on_white(torch.from_numpy(self.pictures[rows]).to(device))[0]


def drawn(rows: Rows, most: int) -> Rows:
    """At most so many rows, always the same ones, in their order."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def knn_scores(known: Seen, asked: Seen) -> dict[str, float]:
    """How far the five nearest known codes tell genus and sex of those asked.

    Photographs of one specimen never answer for each other. What too few labels are known for is
    left out.

    Returns:
        `knn_genus`, `knn_genus_species_out` (species held out) and `knn_sex`, each also with
        `_balanced` and `_majority` behind it; see scores.neighbours.
    """
    found: dict[str, Accuracy] = {}
    genera, specimens = asked.of("genus"), asked.of("specimen")
    with suppress(TooFewError):
        telling = known.telling("genus", "specimen")
        found["genus"] = told_by(telling, asked.codes, genera, specimens)
    with suppress(TooFewError):
        telling, species = known.telling("genus", "species"), asked.of("species")
        found["genus_species_out"] = species_held_out(asked.codes, genera, species, known=telling)
    with suppress(TooFewError):
        telling = known.telling("sex", "specimen")
        found["sex"] = told_by(telling, asked.codes, asked.of("sex"), specimens)
    return {
        f"knn_{name}{behind}": value
        for name, one in found.items()
        for behind, value in (
            ("", one.plain),
            ("_balanced", one.balanced),
            ("_majority", one.majority),
        )
    }
