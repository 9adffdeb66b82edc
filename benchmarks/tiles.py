r"""Drawing the tiles of a large map: seconds, tiles a second, memory, by format; and growing it.

    python benchmarks/tiles.py n=150000 out=/tmp/tiles formats=jpg,webp crisp=webp add=1000,20000

The set: the n cut-outs of `large`, on a map of 300 Gaussians of unequal size that are moved apart
as `render.py` does it (seed 0). Each drawing runs in a process of its own, whose workers' largest
resident set is told beside its own. What is there is not made again, but is drawn again.
add= draws all zooms, Z + 1 among them, of a map without so many of its specimens, then of all of
it as it grows, and tells how many tiles are within reach of the new ones, as `growing.py` counts
them; formats= with png among them also tells how far the others are from PNG.
"""

import json
import resource
import shutil
import subprocess
import sys
import time
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from growing import new_ones, touched
from large import collection
from PIL import Image

from butterflies.mapping.representatives import SIZE_PX, drawn_room, representatives
from butterflies.mapping.spread import map_size, spread
from butterflies.rendering.encode import Encoder
from butterflies.rendering.layers import Placed
from butterflies.rendering.pyramid import Pyramid, Written
from butterflies.rendering.spritefiles import SpriteFiles, Sprites
from butterflies.rendering.sprites import Shadow
from butterflies.rendering.tilefiles import Earlier
from butterflies.segmentation.store import CutoutStore

CLUSTERS, PX, TILE = 300, 128, 512
Floats = npt.NDArray[np.float64]


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    out, n = Path(given["out"]), int(given.get("n", 150_000))
    if "draw" in given:
        print(json.dumps(_draw(out, n, given)))
        return
    _prepare(out, n)
    head = "| tiles | count | MB | s | CPU s | tiles/s | peak MB: itself, a worker | drawn |"
    print(f"{head}\n|---|---|---|---|---|---|---|---|", flush=True)
    forms = list(filter(None, given.get("formats", "jpg,webp").split(",")))
    for form in forms:
        _tell(f"{form}, zooms 0 to Z", _measured(out, n, draw=form))
    _compare(out, forms)
    for form in filter(None, given.get("crisp", "").split(",")):
        _tell(f"{form}, zoom Z + 1", _measured(out, n, draw=form, crisp="yes"))
    for count in filter(None, given.get("add", "").split(",")):
        for where in ("anywhere", "together"):
            words_for = {"draw": "jpg", "added": count, "where": where}
            _tell(f"jpg, {count} more, {where}: before", _measured(out, n, **words_for))
            _tell("... and after", _measured(out, n, **words_for, after="yes"))
            _count(out, int(count), where)
            shutil.rmtree(out / "before")
            shutil.rmtree(out / "after")


def _tell(what: str, found: dict[str, Any]) -> None:
    rate = found["count"] / found["s"]
    memory = f"{found['own']:.0f}, {found['worker']:.0f}"
    took = f"{found['s']:.0f} | {found['cpu']:.0f} | {rate:.0f}"
    numbers = f"{found['count']:,} | {found['mb']:,.0f} | {took}"
    print(f"| {what} | {numbers} | {memory} | {found['drawn']:,} |", flush=True)


def _measured(out: Path, n: int, **words: str) -> dict[str, Any]:
    line = [sys.executable, __file__, f"out={out}", f"n={n}"]
    line += [f"{key}={value}" for key, value in words.items()]
    run = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def _prepare(out: Path, n: int) -> None:
    """Cut-outs, sprites, places and representatives; each said with its seconds."""
    for what, step in (("cut-outs", _store), ("sprites", _sprites), ("places", _places)):
        start = time.perf_counter()
        step(out, n)
        print(f"{what}: {time.perf_counter() - start:.1f} s", flush=True)


def _store(out: Path, n: int) -> CutoutStore:
    return CutoutStore(collection(out / "collection", n))


def _sprites(out: Path, n: int) -> Sprites:
    store = _store(out, n)
    return SpriteFiles((out / "sprites").absolute(), store, store.ids, PX).make()


def _gaussians(n: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Points (n, 2) of Gaussians of unequal size, and which Gaussian each is of."""
    rng = np.random.default_rng(0)
    share = rng.pareto(1.5, CLUSTERS) + 0.2
    label = np.sort(rng.choice(CLUSTERS, n, p=share / share.sum()))
    centres = rng.uniform(-1, 1, (CLUSTERS, 2))
    width = 0.06 * np.sqrt(share / share.mean())
    order = rng.permutation(n)  # assetIDs tell nothing of the place
    points = centres[label] + rng.normal(size=(n, 2)) * width[label, None]
    return points[order], label[order]


def _places(out: Path, n: int) -> None:
    if (out / "places.npz").is_file():
        return
    rooms = _sprites(out, n).rooms
    zoom, map_px = map_size(n, PX, TILE)
    points, label = _gaussians(n)
    places, _ = spread(points, rooms, map_px, 0, margin=PX * (0.5 + Shadow().pad))
    codes = points.astype(np.float32)
    ids = [str(k) for k in range(n)]
    table = representatives(ids, places, codes, rooms / PX, zoom, TILE)
    columns = {name: np.array(table[name]) for name in ("zoom", "place_x", "place_y")}
    numbers = np.array(table["assetID"].to_pylist(), np.int64)
    known = {"places": places, "label": label, "number": numbers, "z": np.array(zoom), **columns}
    np.savez(out / "places.npz", **known)  # type: ignore[arg-type]


def _draw(out: Path, n: int, given: dict[str, str]) -> dict[str, Any]:
    """Draws a map once; what it took."""
    sprites, found = _sprites(out, n), np.load(out / "places.npz")
    zoom, places, rooms = int(found["z"]), found["places"].astype(np.int64), sprites.rooms
    name = given["draw"]
    folder, earlier = out / name, None
    shown = np.arange(n)
    if "added" in given:
        folder = out / ("after" if "after" in given else "before")
        if "after" in given:
            earlier = Earlier(out / "before" / "tiles", (out / "before" / "work").absolute())
        else:
            new = new_ones(found["label"], int(given["added"]), given["where"])
            shown = np.setdiff1d(shown, new)
    shutil.rmtree(folder, ignore_errors=True)
    pyramid = Pyramid(
        (folder / "tiles").absolute(),
        (folder / "work").absolute(),
        zoom,
        TILE,
        Encoder(name),
        earlier=earlier,
    )
    base = Placed(shown, places[shown], rooms[shown], np.full(len(shown), PX))
    draws = []
    if "crisp" not in given:
        draws.append(partial(pyramid.write, sprites, base, _above(found, rooms, zoom)))
    if "crisp" in given or "added" in given:
        draws.append(partial(pyramid.write_crisp, sprites, base))
    start, before = time.perf_counter(), _cpu()
    written = reduce(Written.with_zooms_of, [draw() for draw in draws])
    seconds, cpu = time.perf_counter() - start, _cpu() - before
    size = sum(file.stat().st_size for file in pyramid.tiles.glob("*/*/*"))
    return {
        "s": seconds,
        "cpu": cpu,
        "count": written.count,
        "drawn": written.drawn,
        "mb": size / 1e6,
    } | {
        "own": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "worker": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def _cpu() -> float:
    """Seconds of processor time of this process and of those that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def _above(found: Any, rooms: Floats, zoom: int) -> dict[int, Placed]:
    """The representatives by zoom; the same before and after growing."""
    above = {}
    for z in np.unique(found["zoom"]).tolist():
        rows = found["zoom"] == z
        centres = np.stack([found["place_x"][rows], found["place_y"][rows]], axis=1)
        numbers = found["number"][rows]
        widths = np.full(len(numbers), SIZE_PX)
        drawn = drawn_room(rooms[numbers] / PX, widths)
        above[z] = Placed(numbers, centres.astype(np.int64) >> (zoom - z), drawn, widths)
    return above


def _count(out: Path, count: int, where: str) -> None:
    """Says how many tiles are expected to change."""
    found = np.load(out / "places.npz")
    new = found["places"][new_ones(found["label"], count, where)].astype(np.int64)
    print(f"... of which {touched(new, int(found['z']), PX, TILE)[1]:,} within reach", flush=True)


def _compare(out: Path, forms: list[str]) -> None:
    """PSNR of tiles of the deepest zoom against those of PNG, if these are there."""
    files = sorted((out / "png" / "tiles").glob("*/*/*.png"))
    deepest = max((int(file.parts[-3]) for file in files), default=0)
    some = [file for file in files if int(file.parts[-3]) == deepest][::7]
    for form in (form for form in forms if some and form != "png"):
        off = [_mean_square(file, out / form, form) for file in some]
        found = 10 * np.log10(255**2 / np.array([np.mean(off), np.max(off)]))
        print(
            f"{form}: {found[0]:.1f} dB, the worst tile {found[1]:.1f} dB, of {len(some):,} tiles"
        )


def _mean_square(exact: Path, folder: Path, form: str) -> float:
    other = folder / exact.relative_to(exact.parents[3]).with_suffix(f".{form}")
    pixels = [np.asarray(Image.open(file), np.float64) for file in (exact, other)]
    return float(((pixels[0] - pixels[1]) ** 2).mean())


if __name__ == "__main__":
    main(sys.argv[1:])
