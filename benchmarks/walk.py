r"""Walks the whole way as a user would, a process a step, and prints what each step took.

    python benchmarks/walk.py photos=$MUSEUM/photos records=$MUSEUM/records.csv \
        masks=$MUSEUM/masks out=/tmp/walk
    python benchmarks/walk.py photos=demo/drawn/photos records=demo/drawn/records.csv \
        masks=demo/drawn/masks out=/tmp/walk-drawn
    python benchmarks/walk.py photos=... records=... segmenter=alpha out=/tmp/walk-cutouts

Without `segmenter=` one is trained on the masks. Steps that are done are skipped, so that only a
new `out=` measures. Seconds are wall time; memory is the largest resident set of one process.
"""

import os
import sys
import time
from pathlib import Path

from butterflies.files import read_json, write_json


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    place = Path(given.pop("out"))
    write_json(place / "walk.json", {**_known(place), **_walk(given, place)})
    print("\n| step | s | peak MB |\n|---|---|---|")
    for step, (seconds, memory) in read_json(place / "walk.json").items():
        print(f"| {step} | {seconds:.1f} | {memory:.0f} |")


def _walk(given: dict[str, str], place: Path) -> dict[str, tuple[float, float]]:
    collection = f"collection={place / 'collection'}"
    segmenter = given.pop("segmenter", "")
    found = {"collect": _step("collect", collection, *(f"{k}={v}" for k, v in given.items()))}
    if not segmenter:
        out, segmenter = place / "segmenter", str(place / "segmenter" / "best.ckpt")
        words = ("train", "experiment=segmenter", collection, f"out={out}")
        found["train segmenter"] = _step(*words)
    autoencoder, embedding = place / "autoencoder", place / "embedding"
    found["cutout"] = _step("cutout", collection, f"segmenter={segmenter}")
    words = ("train", "experiment=autoencoder", collection, f"out={autoencoder}")
    found["train autoencoder"] = _step(*words)
    chosen = f"autoencoder={autoencoder / 'best.ckpt'}"
    found["embed"] = _step("embed", collection, chosen, f"out={embedding}")
    found["render"] = _step("render", f"map={embedding}", f"out={place / 'map'}")
    return {step: took for step, took in found.items() if took}


def _step(job: str, *words: str) -> tuple[float, float]:
    """Wall seconds, and the largest process's peak in MB."""
    print(f"butterflies {job} {' '.join(words)}", flush=True)
    start = time.perf_counter()
    line = [sys.executable, "-m", "butterflies", job, *words]
    child = os.posix_spawn(sys.executable, line, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"butterflies {job} failed.")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def _known(place: Path) -> dict[str, tuple[float, float]]:
    path = place / "walk.json"
    return read_json(path) if path.is_file() else {}


if __name__ == "__main__":
    main(sys.argv[1:])
