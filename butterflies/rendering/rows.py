"""The tables of a map joined by assetID, in the order in which the site numbers its specimens."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from butterflies.rendering.points import morton


@dataclass(frozen=True)
class Rows:
    """A map's n specimens in Morton order of their centres.

    Attributes:
        ids: assetIDs.
        of: assetID -> row.
        x: centres in world units, int64.
        y: likewise.
        keys: Morton keys of the centres.
        records: each one's record, nothing but its assetID where there is none.
        scores: numbers that tell of each, null where there is none.
        near: (n, k) rows of the most similar specimens that lie on the map, the nearest first,
            -1 behind the last.
    """

    ids: list[str]
    of: Mapping[str, int]
    x: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]
    records: pa.Table
    scores: pa.Table
    near: npt.NDArray[np.int32]


def join(
    places: pa.Table, records: pa.Table, scores: pa.Table, neighbours: pa.Table | None
) -> Rows:
    """Numbers the placed specimens and gathers what is known of each; see `SiteContent`."""
    placed = _ok(places).sort_by("assetID")
    x, y = (placed[name].to_numpy().astype(np.int64) for name in ("place_x", "place_y"))
    keys = morton(x, y)
    order = np.argsort(keys, kind="stable")
    named = placed["assetID"].combine_chunks().take(order)
    ids = named.to_pylist()
    of = {asset_id: row for row, asset_id in enumerate(ids)}
    told = records.take(pc.index_in(named, records["assetID"].combine_chunks()))
    told = told.set_column(told.column_names.index("assetID"), "assetID", named)
    scored = scores.take(pc.index_in(named, scores["assetID"].combine_chunks()))
    near = np.zeros((len(ids), 0), np.int32)
    if neighbours is not None:
        near = _near(_ok(neighbours), named)
    scored = scored.drop_columns(["assetID"])
    return Rows(ids, of, x[order], y[order], keys[order], told, scored, near)


def _near(neighbours: pa.Table, ids: pa.Array) -> npt.NDArray[np.int32]:
    """`Rows.near`; what is not on the map is left out."""
    lists = neighbours["neighbour_ids"].combine_chunks()
    parents = np.asarray(pc.list_parent_indices(lists))
    owners = _numbers(neighbours["assetID"].combine_chunks(), ids)[parents]
    others = _numbers(pc.list_flatten(lists), ids)
    there = (owners >= 0) & (others >= 0)
    parents, owners, others = parents[there], owners[there], others[there]
    rank = np.arange(len(parents)) - np.searchsorted(parents, parents)
    near = np.full((len(ids), int(rank.max(initial=-1)) + 1), -1, np.int32)
    near[owners, rank] = others
    return near


def _numbers(asked: pa.Array, ids: pa.Array) -> npt.NDArray[np.int32]:
    """The place of each among the ids, -1 where it is none of them."""
    return np.asarray(pc.fill_null(pc.index_in(asked, ids), -1))


def _ok(table: pa.Table) -> pa.Table:
    return table.filter(pc.equal(table["status"], "ok"))
