"""What others take for the same work: openTSNE alone, the 2019 map's own ways, libvips."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from butterflies.mapping.spread import fit, map_size
from butterflies.segmentation.store import CutoutStore

PX, TILE = 128, 256
STEPS = 160
"""Of the 2019 mover: twice 80."""

Floats = npt.NDArray[np.float64]


def tsne(place: Path, n: int) -> str:
    """OpenTSNE as it comes, on all cores, in a process of its own."""
    line = (
        "import numpy, openTSNE; "
        f"openTSNE.TSNE(n_jobs=-1, random_state=0).fit(numpy.load({str(place / 'codes.npy')!r}))"
    )
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", line], check=True)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return f"{time.perf_counter() - start:.1f} s, {memory:,.0f} MB"


def mover(place: Path, n: int) -> str:
    """Ten steps of the 2019 mover, of 160, on the points of our map."""
    from spreading import nearest_four

    points = _points(place, n)
    start = time.perf_counter()
    nearest_four(points, np.full(n, float(PX)), map_size(n, PX, 512)[1], range(10))
    took = time.perf_counter() - start
    return f"{took / 10:.2f} s a step, so {took / 10 * STEPS:.0f} s for {STEPS} steps"


def tiles(place: Path, n: int) -> str:
    """The 2019 tile loop on 60 tiles of its deepest zoom, in this process."""
    points, store = _points(place, n), CutoutStore(place)
    map_px = map_size(n, PX, 512)[1]
    centres = np.rint(fit(points, map_px, PX)).astype(np.int64)
    cells = np.unique(centres // TILE, axis=0)
    chosen = cells[np.random.default_rng(0).choice(len(cells), 60, replace=False)]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        drawn = sum(_tile(Path(folder), cell, centres, store) for cell in chosen)
        took = (time.perf_counter() - start) / len(chosen)
    return (
        f"{1 / took:.1f} tiles/s with {drawn / len(chosen):.1f} pictures each, so "
        f"{took * len(cells) / 60:,.0f} min for the {len(cells):,} tiles of the deepest zoom"
    )


def _tile(folder: Path, cell: Any, centres: npt.NDArray[np.int64], store: CutoutStore) -> int:
    """Scans all points, decodes and shades each picture anew, pastes it, encodes."""
    low = cell * TILE
    near = ((centres > low - PX) & (centres < low + TILE + PX)).all(axis=1)
    tile, above = Image.new("RGB", (TILE, TILE), "white"), []
    for number in np.flatnonzero(near).tolist():
        picture = Image.fromarray(store.image(store.ids[number])).resize((PX, PX))
        corner = tuple((centres[number] - low - PX // 2).tolist())
        wide = Image.new("L", (PX + 96, PX + 96))
        wide.paste(picture.getchannel("A"), (48, 48))
        shade = wide.filter(ImageFilter.GaussianBlur(12)).point(lambda v: min(255, int(1.6 * v)))
        tile.paste("black", (corner[0] - 48, corner[1] - 48), shade)
        above.append((picture, corner))
    for picture, corner in above:
        tile.paste(picture, corner, picture)
    tile.save(folder / f"{cell[0]}-{cell[1]}.jpg", quality=90)
    return len(above)


def dzsave(place: Path, n: int) -> str:
    """Libvips cuts and encodes one canvas that is there already, 16,384 px wide, on all cores."""
    import pyvips

    side, rng = 16_384, np.random.default_rng(0)
    canvas, store = Image.new("RGB", (side, side), "white"), CutoutStore(place)
    pictures = [Image.fromarray(store.image(name)).resize((PX, PX)) for name in store.ids[:200]]
    density = 150_000 / 131_072**2  # of the 2019 map, drawn only where something lies
    for x, y in rng.integers(0, side, (int(2.5 * density * side**2), 2)).tolist():
        picture = pictures[(x * y) % len(pictures)]
        canvas.paste(picture, (x, y), picture)
    whole, found = pyvips.Image.new_from_array(np.asarray(canvas)), []
    for suffix in (".jpg[Q=80]", ".webp[Q=80,effort=2]"):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            whole.dzsave(f"{folder}/map", suffix=suffix, tile_size=512, overlap=0, layout="google")
            took = time.perf_counter() - start
            count = sum(1 for _ in Path(folder).glob("map/*/*/*"))
        found.append(f"{suffix} {count:,} tiles, {count / took:.0f} tiles/s")
    return "; ".join(found)


def _points(place: Path, n: int) -> Floats:
    """Where the embedding placed them."""
    from butterflies.tables import read_table

    table = read_table(place / "embedding" / "map.parquet", "scale.py")
    return np.stack([np.array(table["x"]), np.array(table["y"])], axis=1)


PEERS: dict[str, Callable[[Path, int], str]] = {
    "tsne": tsne,
    "mover": mover,
    "tiles": tiles,
    "dzsave": dzsave,
}
