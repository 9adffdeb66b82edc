"""New specimens on a map that is there: who they are, and how well they fit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from butterflies.encoding.neighbours import Codes, Near, nearest_to
from butterflies.errors import UserError
from butterflies.mapping.former import Former
from butterflies.mapping.projection import Points
from butterflies.tracking.console import say

MANY = 0.2
"""So many new ones for each old one shape the map themselves: a new map shows them better."""

FAR = 0.05
"""So many of the new ones being far from all old ones, likewise."""

USUAL = 0.99
"""This share of the old ones is nearer to its nearest: who is farther off is far."""


@dataclass(frozen=True)
class Added:
    """A map with more on it.

    Attributes:
        points: (n, 2) of all.
        new: (n,) who was added.
        far: how many of them are far from all that was there.
        left: how many of the former map are no longer there.
    """

    points: Points
    new: npt.NDArray[np.bool_]
    far: int
    left: int


def add(
    former: Former, ids: Sequence[str], codes: Codes, near: Near, seed: int = 0, workers: int = 0
) -> Added:
    """Places new specimens among those of a former map, which stay where they are.

    Args:
        former: the map.
        ids: the assetIDs of all that shall be on it, n.
        codes: (n, d).
        near: neighbours of each among all.
        seed: see `Projection.place`.
        workers: see `Projection.place`.

    Raises:
        UserError: nobody of the former map is left.
    """
    row = {asset_id: number for number, asset_id in enumerate(former.ids)}
    before = np.array([row.get(asset_id, -1) for asset_id in ids], np.int64)
    new = before < 0
    if new.all():
        raise UserError(
            f"add_to={former.folder}: none of its {len(former.ids):,} specimens is left among the "
            "cut-outs, so that there is nothing to add to."
        )
    points = np.empty((len(ids), 2))
    points[~new] = former.points[before[~new]]
    points[new] = former.projection.place(former.codes, former.points, codes[new], seed, workers)
    limit = np.nanquantile([*former.apart, 0.0], USUAL)
    far = int((_apart(new, codes, near) > limit).sum())
    return Added(points, new, far, len(former.ids) - int((~new).sum()))


def warn(added: Added) -> None:
    """Says how many are new, and that a new map would show them better where it would."""
    new = int(added.new.sum())
    old = len(added.new) - new
    left = f", {added.left:,} are no longer there" if added.left else ""
    far = f"; {added.far:,} of them are far from all of those" if new else ""
    say(f"Added {new:,} specimens to {old:,} that stay where they were{left}{far}.")
    if new > MANY * old or added.far > FAR * new:
        reason = "so many" if new > MANY * old else "so far from what is known"
        say(
            f"Warning: new specimens that are {reason} are squeezed in between the old ones; a "
            "map made anew, without add_to= and aligned by align_to=, would show them better."
        )


def _apart(new: npt.NDArray[np.bool_], codes: Codes, near: Near) -> npt.NDArray[np.float64]:
    """The distance of each new code to the nearest old one."""
    found = near.rows[new]
    distances = np.where(new[found], np.inf, near.distances[new]).min(axis=1, initial=np.inf)
    lost = np.flatnonzero(~np.isfinite(distances))  # all of their neighbours are new
    distances[lost] = nearest_to(codes[~new], codes[new][lost], 1).distances[:, 0]
    return np.asarray(distances)
