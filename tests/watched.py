"""A small collection of butterflies whose colour tells their genus and whose size their species."""

from pathlib import Path
from typing import Any

import numpy as np

from butterflies.collection.records import table_of, write_records
from butterflies.encoding.data import Cutouts
from butterflies.encoding.seen import Gallery
from tests.cutout_sets import Pixels, write_cutouts

KINDS = [
    (genus, epithet) for genus in ("Ornithoptera", "Morpho", "Pieris") for epithet in ("x", "y")
]
COLOURS = {"Ornithoptera": (20, 120, 40), "Morpho": (30, 40, 200), "Pieris": (220, 200, 120)}


def disc(genus: str, epithet: str, number: int) -> Pixels:
    """A round butterfly in its genus' colour; its size tells its species."""
    y, x = np.mgrid[:64, :64] - 31.5
    radius = (22 if epithet == "x" else 25) + number % 3
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[np.hypot(x, y) < radius] = [*COLOURS[genus], 255]
    return picture


def write_watched(place: Path) -> Path:
    """72 photographs of 60 specimens."""
    rows: list[dict[str, Any]] = []
    for number in range(72):
        genus, epithet = KINDS[number % 6]
        names = {"genus": genus, "specificEpithet": epithet, "sex": ("male", "female")[number % 2]}
        one = {"assetID": f"b{number:03d}", "status": "ok", "specimen": f"s{number % 60}"}
        rows.append({**one, **names})
    pictures = {r["assetID"]: disc(r["genus"], r["specificEpithet"], n) for n, r in enumerate(rows)}
    write_cutouts(place, pictures, {r["assetID"]: r["specimen"] for r in rows})
    write_records(place, table_of(rows))
    return place


def gallery(collection: Path, **options: Any) -> Gallery:
    data = Cutouts(str(collection), **options)
    data.setup()
    return Gallery(data)
