"""Which specimens have the most similar codes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from butterflies.tables import schema

NEIGHBOURS = 12

SCHEMA = schema(
    pa.field("neighbour_ids", pa.list_(pa.string())),
    pa.field("distances", pa.list_(pa.float32())),
)

BLOCK = 1024
"""Codes compared with all others at a time."""

SPARE = 8
"""Candidates beyond those asked for, among which exact distances decide."""

Codes = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float64]


def nearest(codes: Codes, k: int = NEIGHBOURS) -> tuple[Rows, Distances]:
    """The k nearest of every code by Euclidean distance, itself left out.

    Args:
        codes: (n, d).
        k: how many; all others where n is not larger than k.

    Returns:
        Rows and distances (n, min(k, n - 1)), nearest first, equal distances by row.
    """
    count = min(k, max(0, len(codes) - 1))
    rows = np.empty((len(codes), count), dtype=np.int64)
    distances = np.empty((len(codes), count), dtype=np.float64)
    if count:
        centred = codes - codes.mean(axis=0)
        squares = np.einsum("nd,nd->n", centred, centred)
        for start in range(0, len(codes), BLOCK):
            part = slice(start, min(start + BLOCK, len(codes)))
            rows[part], distances[part] = _nearest_of(part, centred, squares, count)
    return rows, distances


def neighbours_table(ids: Sequence[str], codes: Codes, k: int = NEIGHBOURS) -> pa.Table:
    """The neighbours (SCHEMA) of codes (n, d) by their assetIDs, one row each, all ok."""
    rows, distances = nearest(codes, k)
    names = np.asarray(ids, dtype=object)
    columns = {
        "assetID": list(ids),
        "status": ["ok"] * len(ids),
        "reason": [None] * len(ids),
        "neighbour_ids": [list(found) for found in names[rows]],
        "distances": list(distances.astype(np.float32)),
    }
    return pa.table(columns, schema=SCHEMA)


def _nearest_of(part: slice, codes: Codes, squares: Codes, count: int) -> tuple[Rows, Distances]:
    """A fast product proposes candidates; their exact distances choose and order them."""
    near = squares[None, :] - 2 * (codes[part] @ codes.T)
    near[np.arange(len(near)), np.arange(part.start, part.stop)] = np.inf
    candidates = np.arange(len(codes))[None].repeat(len(near), axis=0)
    if count + SPARE < len(codes):
        candidates = np.argpartition(near, count + SPARE, axis=1)[:, : count + SPARE]
    own = np.arange(part.start, part.stop)[:, None]
    apart = codes[candidates].astype(np.float64) - codes[part, None].astype(np.float64)
    distances = np.sqrt(np.einsum("nkd,nkd->nk", apart, apart))
    distances[candidates == own] = np.inf
    order = np.lexsort((candidates, distances), axis=1)[:, :count]
    return np.take_along_axis(candidates, order, 1), np.take_along_axis(distances, order, 1)
