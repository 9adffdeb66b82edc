"""The tables of a map joined by assetID, in the order in which the site numbers its specimens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from butterflies.rendering.points import morton
from butterflies.tables import ok_rows


@dataclass(frozen=True)
class Rows:
    """A map's specimens in Morton order of their centres.

    Attributes:
        ids: assetIDs.
        of: assetID -> row.
        x: centres in world units, int64.
        y: likewise.
        keys: Morton keys of the centres.
        records: each one's record; only {"assetID": ...} where there is none.
        near: rows of the most similar specimens that lie on the map, the nearest first.
    """

    ids: list[str]
    of: Mapping[str, int]
    x: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]
    records: list[dict[str, Any]]
    near: list[list[int]]


def join(places: pa.Table, records: pa.Table, neighbours: pa.Table | None) -> Rows:
    """Numbers the placed specimens and gathers what is known of each; see `SiteContent`."""
    placed = sorted(ok_rows(places), key=lambda row: str(row["assetID"]))
    x = np.array([row["place_x"] for row in placed], dtype=np.int64)
    y = np.array([row["place_y"] for row in placed], dtype=np.int64)
    keys = morton(x, y)
    order = np.argsort(keys, kind="stable")
    ids = [str(placed[i]["assetID"]) for i in order]
    of = {asset_id: row for row, asset_id in enumerate(ids)}
    known = {row["assetID"]: row for row in records.to_pylist() if row["assetID"] in of}
    near: list[list[int]] = [[] for _ in ids]
    for row in ok_rows(neighbours) if neighbours is not None else []:
        if row["assetID"] in of:
            near[of[row["assetID"]]] = [of[o] for o in row["neighbour_ids"] if o in of]
    whole = [known.get(asset_id, {"assetID": asset_id}) for asset_id in ids]
    return Rows(ids, of, x[order], y[order], keys[order], whole, near)
