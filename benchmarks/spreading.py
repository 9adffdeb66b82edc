r"""Moving points apart: how long, how far, and what plainer ways make of the same points.

    python benchmarks/spreading.py n=15000,150000,1000000 peers=15000

The points: 300 Gaussians of unequal size and number, seed 0, so large that discs of 128 px cover
35 % of the points' hull. Distances are in picture widths. Three peers, by numpy and scipy:

- *pairs, a half*: every overlapping pair is pushed apart by its overlap, all at once, each of the
  two by a half of it, until none overlaps; *pairs, a quarter*: by half the overlap.
- *2019*: the step of the 2019 map: the four nearest push, velocities decay by 0.8, overlaps
  count by min(0.5, step / 50), and a hundredth of the way home is gone back; 160 steps.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import ceil, pi, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, cKDTree

from butterflies.mapping.moved import displacement
from butterflies.mapping.placing import overlapping
from butterflies.mapping.spread import ROUNDING, fit, spread

Floats = npt.NDArray[np.float64]

PX = 128
COVERED = 0.35
GROUPS = 300
MOST_STEPS = 20_000
FIRST = f"""import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})
from spreading import crowd, spread
spread(*crowd(6000))"""


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    sizes = [int(n) for n in given.get("n", "15000,150000").split(",")]
    peers = [int(n) for n in given.get("peers", "15000").split(",") if n]
    print(f"The first run of all compiles: {_compiling():.1f} s.\n")
    spread(*crowd(6000))
    heads = "method | points | s | still overlapping | mean | 95 % | most | neighbours kept | MB"
    print(f"| {heads} |\n|{'---|' * 9}", flush=True)
    for n in sizes:
        _tell("ours", n, lambda *given: spread(*given)[0])
    for n in peers:
        _tell("pairs, a half", n, partial(pairwise, part=0.5))
        _tell("pairs, a quarter", n, partial(pairwise, part=0.25))
        _tell("2019, 160 steps", n, nearest_four)


def crowd(n: int) -> tuple[Floats, Floats, int]:
    """Points (n, 2), diameters (n,) and the width of a map on which they cover what they shall."""
    random = np.random.default_rng(0)
    centres = random.uniform(size=(GROUPS, 2))
    share = random.lognormal(0, 1, GROUPS)
    size = 0.02 * random.lognormal(0, 0.5, GROUPS)
    group = random.choice(GROUPS, n, p=share / share.sum())
    xy = centres[group] + size[group, None] * random.normal(size=(n, 2))
    scale = sqrt(n * pi / 4 * PX**2 / COVERED / float(ConvexHull(xy).volume))
    width = scale * float(np.ptp(xy, axis=0).max())
    return xy, np.full(n, float(PX)), ceil(width / 0.94 + 2 * PX)


def pairwise(xy: Floats, diameters: Floats, map_px: int, part: float) -> Floats:
    """Plain relaxation until no whole-numbered places overlap."""
    points = fit(xy, map_px, PX)
    apart, n = PX + ROUNDING, len(points)
    for pairs in _pairs(points, 1.3 * apart):
        i, j = pairs.T
        if not _overlaps(np.rint(points), i, j).any():
            break
        between = points[i] - points[j]
        far = np.sqrt((between**2).sum(axis=1))
        push = between * (part * np.maximum(apart - far, 0) / np.maximum(far, 1e-9))[:, None]
        pushes = [np.bincount(i, p, n) - np.bincount(j, p, n) for p in push.T]
        points += np.stack(pushes, axis=1)
    return np.rint(points)


def _pairs(points: Floats, reach: float) -> Iterator[Any]:
    """The pairs in reach before each step, looked up when points have moved far enough."""
    known = points.copy()
    pairs = cKDTree(known).query_pairs(reach, output_type="ndarray")
    for _ in range(MOST_STEPS):
        if np.sqrt(((points - known) ** 2).sum(axis=1).max()) > 0.1 * reach:
            known = points.copy()
            pairs = cKDTree(known).query_pairs(reach, output_type="ndarray")
        yield pairs


def _overlaps(places: Floats, i: Any, j: Any) -> Any:
    return ((places[i] - places[j]) ** 2).sum(axis=1) < PX**2


def nearest_four(
    xy: Floats, diameters: Floats, map_px: int, steps: Iterable[int] = (*range(80), *range(80))
) -> Floats:
    """The step of the 2019 map, twice 80 times."""
    home = fit(xy, map_px, PX)
    points, velocity = home.copy(), np.zeros_like(home)
    for step in steps:
        far, near = cKDTree(points).query(points, 5)
        far, near = far[:, 1:], near[:, 1:]
        lacking = np.maximum(PX - far, 0) * min(0.5, step / 50)
        away = (points[:, None] - points[near]) / np.maximum(far, 1e-9)[:, :, None]
        velocity = 0.8 * velocity + (away * lacking[:, :, None]).sum(axis=1)
        velocity += 0.01 * (home - points)
        points = points + velocity
    return np.rint(points)


def _tell(name: str, n: int, method: Callable[..., Any]) -> None:
    """Prints a row of the table."""
    xy, diameters, map_px = crowd(n)
    start = time.perf_counter()
    places = method(xy, diameters, map_px)
    seconds = time.perf_counter() - start
    left = len(overlapping(places, diameters))
    told = displacement(fit(xy, map_px, PX), places, PX)
    far = " | ".join(f"{told[f'moved_{which}']:.2f}" for which in ("mean", "p95", "max"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    kept = told["neighbours_kept"]
    print(f"| {name} | {n:,} | {seconds:.2f} | {left:,} | {far} | {kept:.3f} | {memory:,} |")
    sys.stdout.flush()


def _compiling() -> float:
    """Seconds by which a process takes longer that finds nothing compiled."""
    with tempfile.TemporaryDirectory() as folder:
        there = {**os.environ, "NUMBA_CACHE_DIR": folder}
        spent = []
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", FIRST], env=there, check=True)
            spent.append(time.perf_counter() - start)
    return spent[0] - spent[1]


if __name__ == "__main__":
    main(sys.argv[1:])
