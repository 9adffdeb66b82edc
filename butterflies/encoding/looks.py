"""What validation codes hold, as pictures: made of a model and the specimens it has encoded."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.codes import Codes
from butterflies.encoding.labels import Label
from butterflies.encoding.seen import BATCH, Gallery, Rows, Seen
from butterflies.encoding.showing import (
    Shown,
    neighbours_sheet,
    traversals_sheet,
    worst_sheet,
)
from butterflies.scatter import scatter
from butterflies.scores.neighbours import NOBODY, nearest_known
from butterflies.sheet import Pixels

ASKED, NEIGHBOURS = 16, 8
DIRECTIONS = 8
STEPS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
"""Places on a direction, in standard deviations of the codes."""
WORST = 12


def looks(
    gallery: Gallery, model: Autoencoder, known: Seen, asked: Seen
) -> Iterator[tuple[str, Pixels]]:
    """Draws neighbours, latent traversals, the worst reconstructions and a scatter plot.

    The scatter plot shows the two principal directions and no t-SNE, although that tells clusters
    apart better: they take no time, stay where they are from epoch to epoch, and the map itself
    is made by `embed`.

    Args:
        gallery: where the pictures are.
        model: in eval mode.
        known: training specimens.
        asked: validation specimens.

    Yields:
        Names and pictures (height, width, 3).
    """
    directions = Directions(asked.codes)
    yield "neighbours", _neighbours(gallery, known, asked)
    yield "traversals", _traversals(model, directions)
    yield "worst", _worst(gallery, model, asked)
    share = f"{directions.shares[:2].sum():.0%} of the variance"
    told = f"{len(asked.rows):,} specimens on the first two principal directions: {share}"
    plane = directions.plane(asked.codes)
    yield "scatter", scatter(plane, asked.of("genus"), "Validation codes by genus", told, True)


class Directions:
    """The principal directions of codes (Pearson, 1901).

    Args:
        codes: (n, d).

    Attributes:
        mean: (d,).
        axes: (d, d), a direction a row, that of the largest variance first.
        deviations: (d,) standard deviations along them.
        shares: (d,) of the variance.
    """

    def __init__(self, codes: Codes) -> None:
        self.mean = codes.mean(axis=0, dtype=np.float64)
        centred = codes - self.mean
        variances, axes = np.linalg.eigh(centred.T @ centred / len(codes))
        self.axes = axes.T[::-1]
        strongest = np.abs(self.axes).argmax(axis=1)
        self.axes *= np.sign(self.axes[np.arange(len(self.axes)), strongest])[:, None]
        variances = variances[::-1].clip(0)
        self.deviations = np.sqrt(variances)
        self.shares = variances / max(variances.sum(), 1e-12)

    def plane(self, codes: Codes) -> npt.NDArray[np.float64]:
        """Codes (n, d) on the first two directions, (n, 2)."""
        flat = (codes - self.mean) @ self.axes[:2].T
        return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))

    def walks(self) -> npt.NDArray[np.float32]:
        """Codes (k, s, d) on k directions at s STEPS from the mean."""
        reach = self.axes[:DIRECTIONS] * self.deviations[:DIRECTIONS, None]
        walks = self.mean + np.asarray(STEPS)[None, :, None] * reach[:, None]
        return np.asarray(walks, dtype=np.float32)


def fixed(labels: Sequence[Label]) -> list[int]:
    """The numbers of at most ASKED specimens, the same every time, of as many genera as can be."""
    specimens: set[str] = set()
    genera: Counter[str | None] = Counter()
    turn: dict[int, int] = {}
    for number in np.random.default_rng(0).permutation(len(labels)).tolist():
        specimen, genus = labels[number][:2]
        if specimen not in specimens:
            specimens.add(specimen)
            turn[number] = genera[genus]
            genera[genus] += 1
    chosen = sorted(turn, key=turn.__getitem__)[:ASKED]
    return sorted(chosen, key=lambda number: (labels[number].species or "~", number))


def _neighbours(gallery: Gallery, known: Seen, asked: Seen) -> Pixels:
    everyone = known.joined(asked)
    specimens = everyone.of("specimen")
    number = {specimen: n for n, specimen in enumerate(specimens)}
    chosen = fixed(asked.labels)
    groups = np.array([number[s] for s in specimens])
    own = np.array([number[asked.labels[n].specimen] for n in chosen])
    found = nearest_known(everyone.codes, groups, asked.codes[chosen], own, NEIGHBOURS)
    return neighbours_sheet(
        [
            _shown(gallery, [asked.rows[n], *everyone.rows[near[near != NOBODY]]])
            for n, near in zip(chosen, found, strict=True)
        ]
    )


def _traversals(model: Autoencoder, directions: Directions) -> Pixels:
    walks = torch.from_numpy(directions.walks())
    decoded = model.decode(walks.flatten(0, 1).to(model.device))
    pictures = _bytes(decoded).reshape(*walks.shape[:2], *decoded.shape[2:], 3)
    return traversals_sheet(pictures, STEPS, directions.shares[: len(walks)].tolist())


def _worst(gallery: Gallery, model: Autoencoder, asked: Seen) -> Pixels:
    codes = torch.from_numpy(asked.codes).to(model.device)
    parts = (slice(start, start + BATCH) for start in range(0, len(codes), BATCH))
    errors = torch.cat(
        [
            (model.decode(codes[p]) - gallery.white(asked.rows[p], model.device))
            .abs()
            .mean((1, 2, 3))
            for p in parts
        ]
    )
    worst = np.argsort(-errors.cpu().numpy(), kind="stable")[:WORST]
    rows = asked.rows[worst]
    again = _bytes(model.decode(codes[torch.from_numpy(worst)]))
    ids = [gallery.ids[row] for row in rows]
    return worst_sheet(_shown(gallery, rows), again, errors[worst].tolist(), ids)


def _shown(gallery: Gallery, rows: Sequence[int] | Rows) -> list[Shown]:
    pictures = _bytes(gallery.white(np.asarray(rows), torch.device("cpu")))
    labels = [gallery.labels[row] for row in rows]
    return [Shown(picture, label) for picture, label in zip(pictures, labels, strict=True)]


def _bytes(pictures: Tensor) -> Pixels:
    """Pictures (n, 3, h, w), 0 to 1, as pixels (n, h, w, 3)."""
    pixels: Pixels = (pictures * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return pixels
