"""One specimen: its picture, and what its row says."""

from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.collection.photos import Reduced, open_reduced
from butterflies.collection.values import view_of
from butterflies.errors import PhotographError
from butterflies.segmentation import shape
from butterflies.segmentation.framing import Frame
from butterflies.segmentation.masking import Found
from butterflies.segmentation.orientation import NOTHING, Orientation, orientation
from butterflies.segmentation.pictures import encode, opaque, without_fringe

Mask = npt.NDArray[np.bool_]

LEAST_SHARE = 0.001
"""A smaller part of the photograph is no specimen."""
LEAST_PX = 10
"""Neither is a box with a shorter longer side."""


def cut_out(
    record: dict[str, Any], path: Path, photo: Reduced, found: Found, upright: bool
) -> tuple[dict[str, Any], bytes]:
    """The row's values and the picture of one specimen.

    Args:
        record: of the photograph.
        path: its file, opened again where `photo` is too small for the cut-out.
        photo: as the mask was found on it.
        found: the mask.
        upright: turn the specimen upright.

    Raises:
        PhotographError: nothing that was found is large enough for a specimen.
    """
    mask = np.asarray(found.alpha) > 127
    if mask.mean() < LEAST_SHARE:
        raise PhotographError("no_specimen", "Nothing that looks like a specimen was found.")
    lies = orientation(np.asarray(photo.image.convert("RGB")), mask)
    frame = Frame.around(mask, lies.turn if upright else 0.0, photo.step, photo.size)
    if max(frame.box[2:]) < LEAST_PX:
        reason = f"What was found is only {frame.box[2]} x {frame.box[3]} pixels."
        raise PhotographError("no_specimen", reason)
    picture = _picture(path, photo, found, frame)
    values = {
        "specimen": record["specimen"],
        "view": view_of(record.get("view")),
        **_place(frame),
        **_scores(found, mask, lies),
        "rotation_confidence": lies.confidence,
    }
    return values, encode(picture)


def whole_mask(found: Found, photo: Reduced) -> Mask:
    """The mask at the photograph's size (height, width)."""
    return np.asarray(_fitted(found.alpha, photo.step, photo.size, 1)) > 127


def _picture(path: Path, photo: Reduced, found: Found, frame: Frame) -> Image.Image:
    alpha = found.alpha
    if frame.scale * photo.step > 1:  # the photograph has more detail than was decoded
        larger = open_reduced(path, ceil(frame.scale * max(photo.size)))
        alpha = _fitted(alpha, photo.step, larger.image.size, larger.step)
        photo = larger
    # A picture that brings its own transparency keeps the colours below it.
    picture = opaque(photo.image).copy() if found.mixed else photo.image.convert("RGB")
    picture.putalpha(alpha)
    picture = frame.taken(picture, photo.step)
    return without_fringe(picture) if found.mixed else picture


def _fitted(alpha: Image.Image, step: int, size: tuple[int, int], wanted: int) -> Image.Image:
    """An alpha of a photograph decoded at `step` for the same decoded at a smaller step."""
    if step == wanted:
        return alpha
    box = (0, 0, size[0] * wanted / step, size[1] * wanted / step)
    return alpha.resize(size, Image.Resampling.BICUBIC, box)


def _place(frame: Frame) -> dict[str, Any]:
    sides = zip(("x", "y", "w", "h"), frame.box, strict=True)
    return {
        **{f"box_{side}": value for side, value in sides},
        "centre_x": frame.centre[0],
        "centre_y": frame.centre[1],
        "rotation": frame.rotation,
        "scale": frame.scale,
    }


def _scores(found: Found, mask: Mask, lies: Orientation) -> dict[str, Any]:
    return {
        "foreground_share": float(mask.mean()),
        "touches_border": shape.touches_border(found.mask),
        "components": found.components,
        "solidity": shape.solidity(found.mask),
        "confidence": found.confidence,
        "asymmetry": None if lies == NOTHING else lies.asymmetry,
        "damage": None if lies == NOTHING else lies.damage,
    }
