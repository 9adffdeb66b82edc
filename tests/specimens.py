"""Small collections of simple specimens, for tests of the rooms that read photographs."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.collection.masks import record_mask
from butterflies.collection.photos import probe
from butterflies.collection.records import table_of, write_records

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def wings(height: int = 96, width: int = 128, seed: int = 0) -> Mask:
    """Two pairs of ellipses that meet in the middle (height, width)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(float)
    cx, cy = width / 2 + random.uniform(-6, 6), height / 2 + random.uniform(-4, 4)
    size = min(height, width) * random.uniform(0.16, 0.22)
    mask = (np.abs(x - cx) < size * 0.2) & (np.abs(y - cy) < size * 1.2)
    for side in (-1, 1):
        for down, grow in ((-0.5, 1.1), (0.6, 0.8)):
            dx, dy = (x - cx - side * size) / (size * grow * 1.2), (y - cy - down * size) / size
            mask |= dx**2 + dy**2 < grow
    return np.asarray(mask)


def photograph(mask: Mask, seed: int = 0, background: int = 235, grain: float = 1.0) -> Pixels:
    """A dark patterned specimen on a background of this brightness and grain."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    pattern = np.where((x + y) % 12 < 6, 60, 90)[..., None] * random.uniform(0.5, 1.2, 3)
    pixels = np.where(mask[..., None], pattern, background)
    noise = random.normal(0, grain, (*mask.shape, 3))
    return np.asarray((pixels + noise).clip(0, 255).astype(np.uint8))


def collection(
    folder: Path, pictures: dict[str, Pixels], masks: dict[str, Mask] | None = None
) -> Path:
    """A collection whose photographs, PNG files, are named by their assetIDs."""
    (folder / "photos").mkdir(parents=True)
    (folder / "masks").mkdir()
    for asset_id, pixels in pictures.items():
        Image.fromarray(pixels).save(folder / "photos" / f"{asset_id}.png")
    for asset_id, mask in (masks or {}).items():
        Image.fromarray(mask).save(folder / "masks" / f"{asset_id}.png")
    write_records(folder, table_of([record(folder, asset_id) for asset_id in pictures]))
    return folder


def record(folder: Path, asset_id: str) -> dict[str, Any]:
    photo = folder / "photos" / f"{asset_id}.png"
    found, stat = probe(photo), photo.stat()
    return {
        "assetID": asset_id,
        "status": found.status,
        "reason": found.reason,
        "specimen": f"specimen-{asset_id}",
        "photo": f"photos/{asset_id}.png",
        "photo_bytes": stat.st_size,
        "photo_mtime_ns": stat.st_mtime_ns,
        "sha256": found.sha256,
        "width": found.width,
        "height": found.height,
    }


def masked_collection(folder: Path, count: int = 12, size: tuple[int, int] = (96, 128)) -> Path:
    """Photographs with their masks, on backgrounds of all brightnesses."""
    masks = {f"a{number:02d}": wings(*size, seed=number) for number in range(count)}
    pictures = {
        asset_id: photograph(mask, number, background=110 + 10 * (number % 13))
        for number, (asset_id, mask) in enumerate(masks.items())
    }
    return collection(folder, pictures, masks)


def record_some(folder: Path, first: int) -> None:
    """Writes ten masks down, in a process that need not know more than this module."""
    for number in range(first, first + 10):
        record_mask(folder, f"m{number:02d}", np.zeros((96, 128), bool), "hand", str(first))
