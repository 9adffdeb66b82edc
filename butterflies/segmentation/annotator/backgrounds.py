"""What photographs lie on: classes of the border's colour and texture."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.segmentation.annotator.measures import Measures

FIELDS = ("red", "green", "blue", "texture")
CLASSES = 6
THUMB_PX = 96
_BORDER = 0.08  # part of the shorter side, at which specimens seldom lie
_TEXTURED = 14.0  # of 255; paper, cork and gradients of light stay below
_ALIKE = 24.0  # of 255: classes whose centres are nearer are one


def backgrounds(
    collection: Path, rows: Iterable[Mapping[str, Any]], seed: int = 0
) -> dict[str, str]:
    """The background class of every readable photograph, by assetID."""
    described = descriptions(collection, rows)
    for _ in described.complete(described.rows, describe):
        pass
    return classes(described.values, seed)


def descriptions(collection: Path, rows: Iterable[Mapping[str, Any]]) -> Measures:
    """The table of backgrounds, as far as it is made."""
    return Measures(collection, "backgrounds", FIELDS, rows)


def describe(photo: Image.Image) -> dict[str, float]:
    """Mean colour of a photograph's border (0 to 255) and how much its light varies (0 to 255)."""
    small = photo.copy()
    small.thumbnail((THUMB_PX, THUMB_PX), Image.Resampling.BOX, reducing_gap=2)
    pixels = np.asarray(small, dtype=np.float64)
    edge = max(2, round(min(pixels.shape[:2]) * _BORDER))
    border = np.ones(pixels.shape[:2], dtype=bool)
    border[edge:-edge, edge:-edge] = False
    colours = pixels[border]
    values = [*np.median(colours, axis=0).tolist(), float(colours.mean(axis=1).std())]
    return dict(zip(FIELDS, values, strict=True))


def classes(described: Mapping[str, Mapping[str, Any]], seed: int = 0) -> dict[str, str]:
    """Classes by k-means, named after their centres, such as `light grey, textured`.

    Args:
        described: values of FIELDS by assetID.
        seed: of k-means; the same photographs come to the same classes whatever their order.
    """
    if not described:
        return {}
    ids = sorted(described)
    points = np.array([[described[key][field] for field in FIELDS] for key in ids])
    labels = _labels(points, seed)
    centres = [points[labels == label].mean(axis=0) for label in range(labels.max() + 1)]
    names = _names(centres)
    return {key: names[label] for key, label in zip(ids, labels.tolist(), strict=True)}


def kinds(genera: Mapping[str, str], seen: Mapping[str, str], asset_id: str) -> tuple[str, str]:
    """What `ranking.spread` is to mix: genus and background."""
    return f"genus {genera[asset_id]}", f"background {seen.get(asset_id, '')}"


def _labels(points: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.int64]:
    """The class of each point (n, fields), from 0 on; nearly equal classes are one."""
    from scipy.cluster.hierarchy import fclusterdata
    from sklearn.cluster import KMeans  # takes a second

    count = min(CLASSES, len(np.unique(points, axis=0)))
    found = KMeans(count, random_state=seed, n_init=4).fit(points)
    if count == 1:
        return np.asarray(found.labels_, dtype=np.int64)
    merged = fclusterdata(found.cluster_centers_, _ALIKE, criterion="distance")
    return np.asarray(merged[found.labels_] - 1, dtype=np.int64)


def _names(centres: list[npt.NDArray[np.float64]]) -> list[str]:
    """A name for each centre, numbered where two would have the same."""
    names: list[str] = []
    for centre in centres:
        name = _name(*centre.tolist())
        alike = sum(re.fullmatch(rf"{name}( \(\d+\))?", other) is not None for other in names)
        names.append(f"{name} ({alike + 1})" if alike else name)
    return names


def _name(red: float, green: float, blue: float, texture: float) -> str:
    light = (red + green + blue) / 3
    shade = "dark" if light < 80 else "middle" if light < 165 else "light"
    least, most = min(red, green, blue), max(red, green, blue)
    hue = "grey" if most - least < 0.12 * most + 6 else _hue(red, green, blue)
    return f"{shade} {hue}{', textured' if texture > _TEXTURED else ''}"


def _hue(red: float, green: float, blue: float) -> str:
    if green >= red and green >= blue:
        return "green"
    if blue >= red:
        return "blue"
    return "brown" if green >= blue else "red"
