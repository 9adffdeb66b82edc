"""`metrics.csv` of a training: a row a step, kept when the training is stopped and goes on."""

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from butterflies.files import writing

WRITTEN_EVERY_S = 5.0
"""The file is written whole, and rows come many a second."""


class MetricsFile(Logger):
    """Keeps what is logged in `metrics.csv`, which Lightning's CSVLogger empties on resuming."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path = folder / "metrics.csv"
        self.rows = self._read()
        self.written = 0.0

    @property
    def name(self) -> str:
        return "metrics"

    @property
    def version(self) -> str:
        return ""

    @property
    @rank_zero_experiment
    def experiment(self) -> "MetricsFile":
        return self

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """The run folder holds them already, in `config.yaml`."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        row = {"step": float(step or 0), **metrics}
        if self.rows and self.rows[-1]["step"] == row["step"]:
            self.rows[-1].update(row)
        else:
            self.rows.append(row)

    def forget_from(self, step: int) -> None:
        """Drops rows of steps that a resumed training will take again."""
        self.rows = [row for row in self.rows if row["step"] < step]

    @rank_zero_only
    def save(self) -> None:
        """Writes the file if it has been a while: Lightning calls this for each row."""
        if time.monotonic() - self.written >= WRITTEN_EVERY_S:
            self.write()

    def write(self) -> None:
        names = sorted({name for row in self.rows for name in row} - {"step"})
        with writing(self.path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["step", *names])
            writer.writeheader()
            writer.writerows(self.rows)
        self.written = time.monotonic()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        self.write()

    def _read(self) -> list[dict[str, float]]:
        if not self.path.is_file():
            return []
        with self.path.open(newline="") as file:
            return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
