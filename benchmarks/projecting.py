r"""Ours beside openTSNE alone on the same codes: seconds, and how well each map keeps neighbours.

    python benchmarks/projecting.py n=20000,150000 workers=2

The codes are those of `large`. *openTSNE* is `TSNE(n_jobs=workers, random_state=0).fit(codes)` as
it comes; *ours* finds the neighbours once, of which the lists of similar specimens are taken too.
CPU seconds are of all threads. Both maps are scored by the same exact neighbours where there are
few, else by ours.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from large import made_up

from butterflies.encoding.neighbours import Near, nearest
from butterflies.mapping.trust import trust
from butterflies.mapping.tsne import TSNE


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    workers = int(given.get("workers", 2))
    print("| specimens | | seconds | CPU | recall | trustworthiness | continuity |")
    print("|---|---|---|---|---|---|---|")
    for n in map(int, given.get("n", "20000").split(",")):
        _compare(made_up(n)[0], workers)


def _compare(codes: npt.NDArray[np.float32], workers: int) -> None:
    from openTSNE import TSNE as Alone

    projection = TSNE()
    near, *finding = _timed(lambda: nearest(codes, projection.neighbours(len(codes))))
    ours, *placing = _timed(lambda: projection.project(codes, 0, workers, near))
    alone, *whole = _timed(lambda: np.array(Alone(n_jobs=workers, random_state=0).fit(codes)))
    found, seconds = "exact" if near.exact else "approximate", np.add(finding, placing)
    _row(len(codes), f"ours, neighbours {found}", seconds, codes, ours, near)
    _row(len(codes), "- of which neighbours", finding)
    _row(len(codes), "openTSNE alone", whole, codes, alone, near)
    start = time.perf_counter()
    trust(codes, ours, near.rows, [None] * len(codes), range(len(codes)))
    _row(len(codes), "trust", [time.perf_counter() - start, np.nan])


def _timed(function: Callable[[], Any]) -> tuple[Any, float, float]:
    """What a function gives, and seconds by the clock and of all processors."""
    clock, used = time.perf_counter(), time.process_time()
    given = function()
    return given, time.perf_counter() - clock, time.process_time() - used


def _row(n: int, name: str, seconds: Any, *scored: Any) -> None:
    text = " | ".join("" if np.isnan(value) else f"{value:.1f}" for value in seconds)
    print(f"| {n:,} | {name} | {text} | {_scores(*scored) if scored else ' | | '} |", flush=True)


def _scores(codes: npt.NDArray[np.float32], points: Any, near: Near) -> str:
    n = len(codes)
    found = trust(codes, points, near.rows, [None] * n, range(n)).scores
    names = ("knn_recall", "trustworthiness", "continuity")
    return " | ".join(f"{found[f'map/{name}']:.3f}" for name in names)


if __name__ == "__main__":
    main(sys.argv[1:])
