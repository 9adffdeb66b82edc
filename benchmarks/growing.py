r"""How many tiles of a rendering specimens that come later would change, counted without drawing.

    python benchmarks/growing.py map=/tmp/scale/500000/map-jpg collection=/tmp/scale/500000 \
        add=1000,20000

The new ones are some of those that are there. *Anywhere*: drawn by lot. *Together*: whole genera,
the smallest first, as a new box would be. A tile counts as changed where the circle of a picture
and its shadow reaches it, from zoom 0 to Z, and to Z + 1; `tiles.py add=` draws such maps, and says
beside what it drew what is counted here.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from butterflies.files import read_json
from butterflies.rendering.layers import Placed
from butterflies.tables import ok_rows, read_table

Ints = npt.NDArray[np.int64]


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    place = Path(given["map"])
    shown = read_json(place / "site" / "map.json")
    centres, genus = _placed(place, Path(given["collection"]))
    widths = [shown[name] for name in ("zoom", "picture_px", "tile_px")]
    head = "| new | where | tiles there are, to Z; to Z + 1 | changed | share |"
    print(f"{head}\n|---|---|---|---|---|")
    for count in map(int, given["add"].split(",")):
        for where in ("anywhere", "together"):
            new = new_ones(genus, count, where)
            there, changed = touched(centres, *widths), touched(centres[new], *widths)
            numbers = (f"{there[0]:,}; {there[1]:,}", f"{changed[0]:,}; {changed[1]:,}")
            shares = "; ".join(f"{100 * a / b:.1f} %" for a, b in zip(changed, there, strict=True))
            print(f"| {count:,} | {where} | {' | '.join(numbers)} | {shares} |", flush=True)


def _placed(place: Path, collection: Path) -> tuple[Ints, Ints]:
    """Centres (n, 2) in world units, and the number of each one's genus (n,)."""
    rows = ok_rows(read_table(place / "places.parquet", "render.py"))
    centres = np.array([(row["place_x"], row["place_y"]) for row in rows], np.int64)
    records = read_table(collection / "records.parquet", "collect")
    genus = dict(zip(records["assetID"].to_pylist(), records["genus"].to_pylist(), strict=True))
    names = [str(genus[row["assetID"]]) for row in rows]
    return centres, np.unique(names, return_inverse=True)[1].astype(np.int64)


def new_ones(group: Ints, count: int, where: str) -> Ints:
    """The specimens that come later: any, or those of whole groups (n,), the smallest first."""
    if where == "anywhere":
        return np.random.default_rng(1).choice(len(group), count, replace=False)
    rank = np.argsort(np.argsort(np.bincount(group)))
    return np.argsort(rank[group], kind="stable")[:count]


def touched(centres: Ints, zoom: int, picture_px: int, tile_px: int) -> tuple[int, int]:
    """How many tiles pictures reach: of zooms 0 to Z, and of zooms 0 to Z + 1."""
    widths = np.full(len(centres), picture_px)
    reach = Placed(widths, centres, widths * 1.0, widths).reach
    spans = [tile_px << up for up in range(zoom + 1)]
    to_z = sum(len(_cells(centres, reach, span)) for span in spans)
    return to_z, to_z + len(_cells(centres, reach, tile_px // 2))


def _cells(centres: Ints, reach: int, width: int) -> Ints:
    """The cells of a grid, a number each, within reach of any centre."""
    own = centres // width
    across = -(-reach // width)
    found = []
    for shift in np.ndindex(2 * across + 1, 2 * across + 1):
        cells = own + shift - across
        inner = centres.clip(cells * width, (cells + 1) * width)
        near = ((centres - inner) ** 2).sum(axis=1) < reach**2
        x, y = cells[near].T
        found.append(x << 32 | y)
    return np.unique(np.concatenate(found))


if __name__ == "__main__":
    main(sys.argv[1:])
