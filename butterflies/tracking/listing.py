"""The trainings that lie in run folders: what there is to choose a checkpoint from.

A row's metrics are those of its best.ckpt: what `metrics.csv` says at the step where the monitored
metric was best (a metric that is not measured at every validation counts as last measured before),
and the scores on test specimens. A training that is not finished has what it has so far.
"""

import csv
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from butterflies.errors import UserError
from butterflies.tracking.provenance import read_provenance

KEY_METRICS = (
    *("val/iou", "val/l1", "val/psnr", "val/knn_genus", "val/knn_genus_balanced"),
    *("val/knn_genus_species_out", "val/knn_sex"),
    *("test/iou", "test/l1", "test/knn_genus_species_out"),
)
"""The columns of the table, where a run has them."""

SMALL_IS_GOOD = ("loss", "l1", "l2", "error", "mse", "mae", "kl")

DEPTH = 4
"""Folders below the given one in which runs are looked for."""


@dataclass
class RunsSettings:
    """Settings of `butterflies runs`."""

    folder: str = "runs"
    """Where to look for trainings."""
    sort: str | None = None
    """The metric that orders them, the best first; null: the newest first."""


@dataclass(frozen=True)
class Training:
    """A training's run folder.

    Attributes:
        folder: where it lies.
        started: when, ISO 8601 in UTC.
        finished: whether it came to its end.
        model: the model's class, and its network where it has a choice.
        data: fingerprint of what it was trained on.
        metrics: by name, see the module.
        checkpoint: best.ckpt, else last.ckpt, None where neither is there.
    """

    folder: Path
    started: str
    finished: bool
    model: str
    data: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    checkpoint: Path | None = None


def trainings(settings: RunsSettings) -> tuple[list[Training], list[Path]]:
    """The trainings below a folder, in order, and the folders whose provenance is broken.

    Raises:
        UserError: there is no such folder, or no training has the metric to sort by.
    """
    folder = Path(settings.folder)
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {folder}: `python train.py` writes into runs/; give another one "
            "as folder=DIR."
        )
    found, broken = [], []
    for place in _results(folder):
        provenance = read_provenance(place)
        try:
            if not provenance:
                broken.append(place)
            elif provenance["job"] == "train":
                found.append(_training(place, provenance))
        except (KeyError, TypeError, ValueError, AttributeError, OSError):
            broken.append(place)
    return _sorted(found, settings.sort), broken


def table(found: Sequence[Training], metric: str | None = None) -> str:
    """The trainings as lines of text under a header, columns aligned.

    Args:
        found: the trainings, in order.
        metric: a metric to show beside KEY_METRICS.
    """
    wanted = dict.fromkeys([*([metric] if metric else []), *KEY_METRICS])
    shown = [name for name in wanted if any(name in one.metrics for one in found)]
    lines = [["run", "started", "", "model", "data", *shown, "checkpoint"]]
    for one in found:
        values = [f"{one.metrics[n]:.4f}" if n in one.metrics else "-" for n in shown]
        state = "" if one.finished else "unfinished"
        start = one.started[:16].replace("T", " ")
        lines.append([one.folder.name, start, state, one.model, one.data[:8], *values])
        lines[-1].append(str(one.checkpoint or "-"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [zip(line, widths, strict=True) for line in lines]
    return "\n".join("  ".join(c.ljust(w) for c, w in line if w).rstrip() for line in padded)


def small_is_good(metric: str) -> bool:
    """Whether a smaller value of a metric is the better one, told from its name."""
    return any(part in SMALL_IS_GOOD for part in metric.replace("/", "_").split("_"))


def _results(folder: Path) -> Iterator[Path]:
    """Folders with a provenance; a result holds no other, and hidden ones are half made."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        if "provenance.json" in files:
            folders.clear()
            yield here
        deep = len(here.relative_to(folder).parts) >= DEPTH
        folders[:] = [] if deep else sorted(n for n in folders if not n.startswith("."))


def _training(folder: Path, provenance: Mapping[str, Any]) -> Training:
    settings = provenance["settings"]
    measured = _at_best(folder / "metrics.csv", str(settings["monitor"]), settings["mode"] == "min")
    scores = {str(k): float(v) for k, v in provenance.get("scores", {}).items()}
    checkpoints = [folder / f"{name}.ckpt" for name in ("best", "last")]
    return Training(
        folder=folder,
        started=str(provenance["started"]),
        finished=provenance["status"] == "finished",
        model=" ".join(str(settings["model"].get(n, "")) for n in ("class", "network")).strip(),
        data=str(provenance["inputs"]["data"]),
        metrics={**measured, **scores},
        checkpoint=next((path for path in checkpoints if path.is_file()), None),
    )


def _at_best(file: Path, monitor: str, smallest: bool) -> dict[str, float]:
    """The validation metrics at the step where `monitor` was best; none without such a step."""
    rows = _rows(file)
    measured = [row for row in rows if math.isfinite(row.get(monitor, math.nan))]
    if not measured:
        return {}
    best = min(measured, key=lambda row: row[monitor] if smallest else -row[monitor])
    known: dict[str, float] = {}
    for row in rows:
        if row.get("step", math.inf) <= best.get("step", math.inf):
            known |= {name: value for name, value in row.items() if name.startswith("val/")}
    return known


def _rows(file: Path) -> list[dict[str, float]]:
    """What can be read of a metrics file; a broken one says nothing."""
    try:
        with file.open(newline="") as opened:
            return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(opened)]
    except (OSError, ValueError, TypeError):
        return []


def _sorted(found: list[Training], metric: str | None) -> list[Training]:
    newest = sorted(found, key=lambda one: (one.started, str(one.folder)), reverse=True)
    if metric is None:
        return newest
    if found and not any(metric in one.metrics for one in found):
        known = ", ".join(sorted({name for one in found for name in one.metrics})) or "none"
        raise UserError(f"No training has the metric {metric}; there are: {known}.")
    sign = 1 if small_is_good(metric) else -1
    return sorted(newest, key=lambda one: sign * one.metrics.get(metric, sign * math.inf))
