"""Small sets of cut-outs, left on disk as `butterflies cutout` leaves them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.collection.drawn import draw_one
from butterflies.files import write_json
from butterflies.segmentation.pictures import encode
from butterflies.segmentation.store import join_parts, write_part

Pixels = npt.NDArray[np.uint8]


@cache
def drawn(number: int) -> Pixels:
    """A drawn specimen cut out along its true mask, (128, 128, 4)."""
    found = draw_one(number)
    picture = Image.fromarray(found.photo)
    mask = Image.fromarray(found.mask)
    picture.putalpha(mask)
    left, top, right, bottom = mask.getbbox() or (0, 0, 1, 1)
    side = round(max(right - left, bottom - top) * 1.08)
    middle = ((left + right) / 2, (top + bottom) / 2)
    corner = (round(middle[0] - side / 2), round(middle[1] - side / 2))
    square = picture.crop((*corner, corner[0] + side, corner[1] + side))
    return np.asarray(square.resize((128, 128)))


def blob(seed: int, size: int = 64) -> Pixels:
    """An ellipse of some shape and colour on nothing, (size, size, 4)."""
    random = np.random.default_rng(seed)
    wide, high = random.uniform(0.3, 0.9, 2) * size / 2
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    picture = np.zeros((size, size, 4), np.uint8)
    inside = (x / wide) ** 2 + (y / high) ** 2 < 1
    picture[inside] = [*random.integers(0, 200, 3), 255]
    return picture


def write_cutouts(
    collection: Path,
    pictures: Mapping[str, Pixels],
    specimens: Mapping[str, str] | None = None,
    others: Mapping[str, tuple[str, str]] | None = None,
    mark: str = "mark",
) -> Path:
    """Writes cut-outs of assetIDs, beside rows that are not ok, and gives the collection back.

    Args:
        collection: its folder.
        pictures: assetID -> uint8 (h, w, 4).
        specimens: assetID -> specimen; the assetID itself where it has none.
        others: assetID -> status and reason.
        mark: the fingerprint.
    """
    rows = [
        {"assetID": i, "status": "ok", "reason": None, "specimen": (specimens or {}).get(i, i)}
        for i in pictures
    ]
    rows += [
        {"assetID": i, "status": status, "reason": reason, "specimen": i}
        for i, (status, reason) in (others or {}).items()
    ]
    rows.sort(key=lambda row: str(row["assetID"]))
    images = [encode(Image.fromarray(pictures[i])) for i in sorted(pictures)]
    write_part(collection / "cutouts", 0, rows, images)
    join_parts(collection / "cutouts", [0], collection / "cutouts.parquet", mark)
    provenance = {"status": "finished", "fingerprint": mark}
    write_json(collection / "cutouts" / "provenance.json", provenance)
    return collection
