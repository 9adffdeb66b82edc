r"""Does drawing the worst masks first pay? IoU against the number of masks, and against chance.

    python benchmarks/worst_first.py collection=walk/collection out=worst-museum steps=600
    python benchmarks/worst_first.py collection=demo/collection out=worst-drawn steps=600

The collection's masks stand in for whoever draws them. Both ways begin with the same five
photographs, drawn by lot, train anew from scratch on as many masks as there are by then, and add
the next: worst first, in the order of `butterflies annotate` for the segmenter just trained, or by
lot. Scores are of photographs of test specimens, which are never drawn from; all others are. `jobs`
trainings run at a time, a thread each; what is done already is not done again. `plot=FILE.svg`
draws the curve of several `out=`, separated by commas, instead.
"""

import csv
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from segmenting import link, parts, scores, trained

SIZES = (5, 10, 20, 40, 80)
SEEDS = (0, 1, 2)
SIDE_PX = 240
WAYS = ("by lot", "worst first")
COLUMNS = ("way", "seed", "masks", "seconds", "iou", "worst", "boundary_f")


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    if "plot" in given:
        return _plot(given["out"].split(","), Path(given["plot"]))
    out, steps = Path(given["out"]), int(given.get("steps", 600))
    tasks = [(Path(given["collection"]), out, way, seed, steps) for seed in SEEDS for way in WAYS]
    with ProcessPoolExecutor(int(given.get("jobs", 1))) as pool:
        list(pool.map(_curve, tasks))
    _print(_results(out))


def _curve(task: tuple[Path, Path, str, int, int]) -> None:
    """All sizes of one way and seed."""
    import torch

    torch.set_num_threads(1)
    collection, out, way, seed, steps = task
    place = out / f"{way.replace(' ', '-')}-{seed}"
    pool, test = parts(collection)
    lot = np.random.default_rng(seed).permutation(pool).tolist()
    drawn: list[str] = []
    for size in SIZES:
        here = place / str(size)
        drawn += _next(place, drawn, lot, way, min(size, len(pool)) - len(drawn), seed)
        if not (here / "scores.csv").is_file():
            start = time.perf_counter()
            link(collection, here, drawn)
            model = trained(here, steps, seed, SIDE_PX, split="all", repeats=8, crop_px=128)
            seconds = time.perf_counter() - start
            _write(here, [way, seed, len(drawn), round(seconds), *scores(model, collection, test)])


def _next(
    place: Path, drawn: list[str], lot: list[str], way: str, count: int, seed: int
) -> list[str]:
    left = [key for key in lot if key not in set(drawn)]
    if way == "by lot" or not drawn:
        return left[:count]
    from butterflies.segmentation.annotator.ranking import rank

    before = place / str(max(size for size in SIZES if size <= len(drawn)))
    return rank(before, before / "model.ckpt", sorted(left), seed)[:count]


def _write(here: Path, row: list[Any]) -> None:
    print(*row, flush=True)
    with (here / "scores.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, row])


def _results(out: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(out.glob("*/*/scores.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                found.append({k: v if k == "way" else float(v) for k, v in row.items()})
    return found


def _print(rows: list[dict[str, Any]]) -> None:
    print("| masks | by lot | worst first | difference, a seed each | longest training, s |")
    print("|---|---|---|---|---|")
    for masks in sorted({row["masks"] for row in rows}):
        here = [row for row in rows if row["masks"] == masks]
        lot, worst = (
            {row["seed"]: row["iou"] for row in here if row["way"] == way} for way in WAYS
        )
        gains = ", ".join(f"{worst[seed] - lot[seed]:+.3f}" for seed in sorted(lot))
        means = " | ".join(f"{np.mean(list(one.values())):.3f}" for one in (lot, worst))
        slowest = max(row["seconds"] for row in here)
        print(f"| {masks:.0f} | {means} | {gains} | {slowest:.0f} |")


def _plot(outs: list[str], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(outs), figsize=(4.2 * len(outs), 3.4), squeeze=False)
    for axis, out in zip(axes[0], outs, strict=True):
        rows = _results(Path(out))
        for way, colour in zip(WAYS, ("#888888", "#0b6e99"), strict=True):
            sizes = sorted({row["masks"] for row in rows if row["way"] == way})
            every = [[r["iou"] for r in rows if (r["way"], r["masks"]) == (way, n)] for n in sizes]
            axis.plot(sizes, [np.mean(v) for v in every], "o-", color=colour, label=way, ms=4)
            low, high = [min(v) for v in every], [max(v) for v in every]
            axis.fill_between(sizes, low, high, color=colour, alpha=0.15, lw=0)
        axis.set(xscale="log", xlabel="masks", title=Path(out).name.split("-")[-1])
        axis.set_xticks(SIZES, [str(size) for size in SIZES])
        axis.minorticks_off()
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylabel("IoU, test specimens")
    axes[0][0].legend(frameon=False)
    figure.savefig(path, bbox_inches="tight")


if __name__ == "__main__":
    main(sys.argv[1:])
