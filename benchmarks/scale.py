r"""From codes to a site at full size: seconds and memory of every step, beside its peers.

    python benchmarks/scale.py n=15000,150000 out=/tmp/scale format=webp
    python benchmarks/scale.py n=500000 out=/tmp/scale format=jpg crisp=false
    python benchmarks/scale.py n=1000000 out=/tmp/scale jobs=embed
    python benchmarks/scale.py plot=benchmarks/scale.svg out=/tmp/scale
    python benchmarks/scale.py n=150000 out=/tmp/scale peers=tsne,mover,tiles,dzsave

The set is that of `large`: it is made first, and what that takes is not counted. `embed.py` and
`render.py` run as a user runs them, a process each, on all cores; their steps tell their seconds
in provenance.json. Memory is the largest sum of the resident sets of a process and its workers
during a step; pages that two of them share count twice. Peers: see `peers`.
"""

import gzip
import subprocess
import sys
import time
from functools import reduce
from operator import or_
from pathlib import Path

import numpy as np
import psutil
from large import collection
from peers import PEERS

from butterflies.files import read_json, write_json
from butterflies.tracking.provenance import read_provenance

Steps = dict[str, tuple[float, float]]

INPUTS = {"collection": "", "codes": "codes.npy", "ids": "ids.txt"}

OURS = {"projection": "t-SNE", "layout": "spread, representatives"}
"""Names of steps in the plot, where they are others."""


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    out = Path(given["out"])
    for n in map(int, filter(None, given.get("n", "").split(","))):
        for peer in filter(None, given.get("peers", "").split(",")):
            print(f"{n:,} {peer}: {PEERS[peer](collection(out / str(n), n), n)}", flush=True)
        if "peers" not in given:
            _measure(collection(out / str(n), n), n, given)
    if "plot" in given:
        plot(out, Path(given["plot"]))


def _measure(place: Path, n: int, given: dict[str, str]) -> None:
    form, jobs = given.get("format", "webp"), given.get("jobs", "embed,render").split(",")
    made = {"embed": place / "embedding", "render": place / f"map-{form}"}
    words = {
        "embed": [f"{name}={place / file}" for name, file in INPUTS.items()],
        "render": [f"map={made['embed']}", f"format={form}", f"crisp={given.get('crisp', 'true')}"],
    }
    whole = [_job(made[job], job, *words[job]) for job in jobs]
    print(f"\n{n:,} specimens, {form}\n\n| step | s | peak MB |\n|---|---|---|")
    for steps in whole:
        for step, (seconds, memory) in steps.items():
            print(f"| {step} | {seconds:,.1f} | {memory:,.0f} |")
    scores = reduce(or_, (read_provenance(made[job])["scores"] for job in jobs))
    if "render" in jobs:
        scores |= sizes(made["render"] / "site")
    for name, value in scores.items():
        print(f"{name}: {value:,}")
    sys.stdout.flush()


def _job(place: Path, job: str, *words: str) -> Steps:
    """Seconds and peak MB by step; the last is all of it."""
    known = place.with_name(f"{place.name}.json")
    if not known.is_file():
        line = [sys.executable, "-m", "butterflies", job, *words, f"out={place}", "force=true"]
        start = time.perf_counter()
        running = subprocess.Popen(line, stdout=subprocess.DEVNULL)
        peaks = _watched(running, place / "provenance.json")
        if running.wait():
            sys.exit(f"{' '.join(line)} failed.")
        seconds = time.perf_counter() - start
        took = read_provenance(place)["timings"]
        steps = {step: (took[step], peaks.get(step, 0.0)) for step in took}
        write_json(known, steps | {f"{job}, all": (seconds, max(peaks.values()))})
    return {step: (took[0], took[1]) for step, took in read_json(known).items()}


def _watched(running: "subprocess.Popen[bytes]", made: Path) -> dict[str, float]:
    """Peak MB by step: what was seen until the step stood in the provenance."""
    peaks: dict[str, float] = {}
    most, process = 0.0, psutil.Process(running.pid)
    while running.poll() is None:
        most = max(most, _resident(process))
        done = read_provenance(made.parent).get("timings", {}) if made.is_file() else {}
        for step in done:
            if step not in peaks:
                peaks[step], most = most, 0.0
        time.sleep(0.2)
    peaks["the rest"] = most
    return peaks


def _resident(process: psutil.Process) -> float:
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def sizes(site: Path) -> dict[str, int]:
    """Bytes after gzip -9 of what the page loads, and how many tiles there are."""
    version = site / read_json(site / "map.json")["version"]
    chunks = [_gzipped(file) for file in (version / "chunks").iterdir()]
    return {
        "map.json, bytes": _gzipped(site / "map.json"),
        "points.bin, bytes": _gzipped(version / "points.bin"),
        **{f"{file.name}, bytes": _gzipped(file) for file in (version / "columns").iterdir()},
        "coverage.bin, bytes": _gzipped(version / "coverage.bin"),
        "largest of the index, bytes": max(map(_gzipped, (version / "index").iterdir())),
        "chunks": len(chunks),
        "largest chunk, bytes": max(chunks),
        "median chunk, bytes": int(np.median(chunks)),
        "tiles": sum(1 for _ in (version / "tiles").glob("*/*/*")),
        "tiles, bytes": sum(file.stat().st_size for file in (version / "tiles").glob("*/*/*")),
    }


def _gzipped(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), 9))


def plot(out: Path, file: Path) -> None:
    """Seconds by step over the number of specimens."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    found: dict[str, dict[int, float]] = {}
    for path in sorted(out.glob("*/*.json")):
        for step, (seconds, _) in read_json(path).items():
            name = "tiles, " + path.stem[4:] if step == "tiles" else OURS.get(step, step)
            if step not in ("encoding", "plots") and not step.endswith("all"):
                found.setdefault(name, {})[int(path.parent.name)] = seconds
    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    ranked = sorted(found.items(), key=lambda item: -max(item[1].values()))
    for number, (step, took) in enumerate(ranked):
        style = ("-", "--", ":")[number // 10 % 3]
        axes.plot(*zip(*sorted(took.items()), strict=True), style, marker="o", label=step)
    axes.set(xscale="log", yscale="log", xlabel="specimens", ylabel="seconds")
    measured = sorted({n for took in found.values() for n in took})
    axes.set_xticks(measured, [f"{n:,}" for n in measured])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(color="#eee")
    axes.legend(bbox_to_anchor=(1.02, 1), loc="upper left", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file)


if __name__ == "__main__":
    main(sys.argv[1:])
