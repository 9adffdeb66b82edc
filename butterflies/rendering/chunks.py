"""Records in files small enough to fetch on a click: an adaptive quadtree over the map.

`chunks/q<quadkey>.json` holds the specimens of one quadtree cell (the whole map is `q.json`; each
further digit is a quarter: 0 top left, 1 top right, 2 bottom left, 3 bottom right). The cells' rows
follow one another, since rows are in Morton order. A chunk is

    {"names": [name, ...],
     "similar": [[assetID, index into names], ...],
     "rows": [{card of `cards.card`, "scores": {name: number}, "near": [index into similar, ...]}]}

with what scores tell of each specimen, and the most similar ones, the nearest first. No number in
it depends on what lies elsewhere on the map: as a map grows, the chunks in which nothing has
changed stay the same bytes. `map.json` lists the chunks in order and how many rows each has.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_ROWS = 128
MAX_BYTES = 64_000
"""Of a chunk after gzip -9."""


@dataclass(frozen=True)
class Cell:
    """A quadtree cell with the rows start <= row < end."""

    quadkey: str
    start: int
    end: int


@dataclass(frozen=True)
class Specimens:
    """All that the chunks say, by row.

    Attributes:
        keys: Morton keys, ascending, n.
        bits: bits of a coordinate; the map is 2**bits world units wide.
        cards: of the rows from one to before another, scores among them.
        ids: n assetIDs.
        names: n names, for the similar specimens.
        near: (n, k) rows of the most similar, -1 behind the last.
    """

    keys: npt.NDArray[np.uint64]
    bits: int
    cards: Callable[[int, int], Sequence[dict[str, Any]]]
    ids: Sequence[str]
    names: Sequence[str]
    near: npt.NDArray[np.integer[Any]]


def chunks(specimens: Specimens) -> Iterator[tuple[Cell, bytes]]:
    """The chunks of a map in the order of their rows, none over MAX_BYTES.

    Raises:
        ValueError: one place holds more than a chunk can.
    """
    yield from _split(specimens, Cell("", 0, len(specimens.keys)))


def _split(specimens: Specimens, cell: Cell) -> Iterator[tuple[Cell, bytes]]:
    count = cell.end - cell.start
    if count <= MAX_ROWS:
        written = chunk(specimens, cell)
        if len(written) <= MAX_BYTES or len(gzip.compress(written, 9)) <= MAX_BYTES:
            if count or not cell.quadkey:
                yield cell, written
            return
    if len(cell.quadkey) == specimens.bits:
        raise ValueError(f"{count} specimens at one place do not fit into a chunk")
    for quarter in _quarters(specimens, cell):
        yield from _split(specimens, quarter)


def _quarters(specimens: Specimens, cell: Cell) -> Iterator[Cell]:
    depth = len(cell.quadkey) + 1
    shift = 2 * (specimens.bits - depth)
    first = int(cell.quadkey or "0", 4) << 2
    bounds = np.array([(first + quarter) << shift for quarter in range(1, 4)], dtype=np.uint64)
    within = np.searchsorted(specimens.keys[cell.start : cell.end], bounds)
    cuts = [cell.start, *(cell.start + int(cut) for cut in within), cell.end]
    for quarter in range(4):
        yield Cell(f"{cell.quadkey}{quarter}", cuts[quarter], cuts[quarter + 1])


def chunk(specimens: Specimens, cell: Cell) -> bytes:
    """The JSON of one cell."""
    similar: dict[int, int] = {}
    rows = []
    for row, said in enumerate(specimens.cards(cell.start, cell.end), cell.start):
        near = (int(other) for other in specimens.near[row] if other >= 0)
        rows.append({**said, "near": [similar.setdefault(other, len(similar)) for other in near]})
    names: dict[str, int] = {}
    called = [names.setdefault(specimens.names[other], len(names)) for other in similar]
    known = [specimens.ids[other] for other in similar]
    told = {"names": list(names), "similar": list(zip(known, called, strict=True)), "rows": rows}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
