"""Drawn specimens: museum-like photographs of invented butterflies, with exact masks and records.

They stand in for a museum where none is at hand: in the demo, in tests, and in benchmarks.  The
families, genera, and species are invented, but inherit as real ones do: a genus shares its wing
shape and pattern plan, a species its colours and proportions, a sex its differences, and every
individual varies a little.  Colours are shared over genera, so that only shape and pattern tell
them apart.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from butterflies.collection.drawing.scene import backdrop, photograph
from butterflies.collection.drawing.specimen import COLUMNS, record, specimen
from butterflies.compute import each
from butterflies.files import write_bytes, write_text

__all__ = ["COLUMNS", "Drawn", "draw", "draw_backdrop", "draw_one", "record_one"]


@dataclass(frozen=True)
class Drawn:
    """A drawn photograph.

    photo: (360, 480, 3) uint8; mask: (360, 480) uint8, 255 on wings and body, else 0; record:
    Darwin Core terms by name (`COLUMNS`), blank where unknown.
    """

    photo: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    record: dict[str, str]


def draw_one(number: int, seed: int = 0) -> Drawn:
    """Draw one specimen: a pure function of its number and the seed."""
    individual = specimen(number, seed)
    known = record(individual)
    photo, mask = photograph(individual, known)
    return Drawn(photo, mask, known)


def draw_backdrop(number: int, seed: int = 0) -> NDArray[np.uint8]:
    """Draw a photograph (360, 480, 3) without a specimen: what others are set before."""
    individual = specimen(number, seed)
    return backdrop(individual, record(individual))


def record_one(number: int, seed: int = 0) -> dict[str, str]:
    """Return the record of a specimen without drawing it: the same as `draw_one(...).record`."""
    return record(specimen(number, seed))


def draw(folder: Path, specimens: int = 600, seed: int = 0, workers: int | None = None) -> Path:
    """Draw a collection into a folder and return the folder.

    Writes `photos/<assetID>.jpg` (480 x 360), `masks/<assetID>.png` (0 or 255), and `records.csv`.
    Pictures that are there already are kept, so a run that was stopped goes on where it was.  The
    same seed gives the same bytes for any number of `workers` (processes; all cores by default).
    """
    folder = Path(folder)
    for name in ("photos", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    task = partial(_draw_files, folder, seed)
    each(task, range(specimens), "drawing", workers or 0, chunk=8)
    _write_records(folder / "records.csv", (record_one(i, seed) for i in range(specimens)))
    return folder


def _draw_files(folder: Path, seed: int, number: int) -> None:
    name = record_one(number, seed)["assetID"]
    photo, mask = folder / "photos" / f"{name}.jpg", folder / "masks" / f"{name}.png"
    if photo.exists() and mask.exists():
        return
    drawn = draw_one(number, seed)
    write_bytes(mask, _encoded(drawn.mask, "PNG"))
    write_bytes(photo, _encoded(drawn.photo, "JPEG", quality=90))


def _encoded(pixels: NDArray[np.uint8], kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def _write_records(path: Path, records: Iterable[dict[str, str]]) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(records)
    write_text(path, text.getvalue())
