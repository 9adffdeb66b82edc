"""A map like a former one: started from it, laid upon it, and how far each specimen has moved."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from butterflies.encoding.neighbours import Codes
from butterflies.errors import UserError
from butterflies.mapping.aligning import drift, similarity
from butterflies.mapping.former import Former
from butterflies.mapping.projection import Points, beside

FEWEST_SHARED = 3
"""With fewer shared specimens there is nothing to turn a map by."""


def shared(former: Former, ids: Sequence[str]) -> tuple[npt.NDArray[np.int64], Points]:
    """Rows of `ids` that are on a former map, and their points there.

    Raises:
        UserError: too few are.
    """
    row = {asset_id: number for number, asset_id in enumerate(former.ids)}
    both = [(here, row[asset_id]) for here, asset_id in enumerate(ids) if asset_id in row]
    if len(both) < FEWEST_SHARED:
        raise UserError(
            f"align_to={former.folder} shares {len(both)} specimens with this collection: "
            f"at least {FEWEST_SHARED} with the same assetIDs are expected."
        )
    here, there = np.array(both).T
    return here, former.points[there]


def start_from(former: Former, ids: Sequence[str], codes: Codes, seed: int = 0) -> Points:
    """Where (n, 2) specimens lay on a former map; who was not there, beside the most similar."""
    rows, places = shared(former, ids)
    points = beside(codes[rows], places, codes, seed)
    points[rows] = places
    return points


def aligned(former: Former, ids: Sequence[str], points: Points) -> tuple[Points, Points]:
    """The points (n, 2) turned and mirrored to lie as on a former map, and their drift.

    Returns:
        The points in their own size, and (n,) how far each has moved, see `aligning.drift`; NaN
        for who was not there.
    """
    rows, places = shared(former, ids)
    moved = np.full(len(points), np.nan)
    turned = similarity(points[rows], places)(points)
    moved[rows] = drift(turned[rows], places)
    return turned, moved
