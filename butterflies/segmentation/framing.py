"""Where a cut-out lies in its photograph, and how its pixels are taken from there."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.segmentation.shape import corners

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

LARGEST_PX = 256
MARGIN = 0.04
"""Part of the square's side that stays free on each side of the specimen."""

_QUARTERS = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True)
class Frame:
    """Where a cut-out lies: photograph pixels p go to `R(p - centre) * scale + side / 2`.

    R turns by `rotation` degrees counter-clockwise on screen: with y down, (x, y) becomes
    (x cos + y sin, y cos - x sin).

    Attributes:
        box: left, top, width and height of the mask in photograph pixels, before it is turned.
        centre: what lies in the middle of the cut-out, x and y in photograph pixels.
        rotation: (-180, 180].
        scale: cut-out pixels per photograph pixel, at most 1.
        side: of the square cut-out, in its own pixels.
    """

    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    rotation: float
    scale: float
    side: int

    @classmethod
    def around(
        cls,
        mask: Mask,
        rotation: float = 0.0,
        step: int = 1,
        size: tuple[int, int] | None = None,
    ) -> "Frame":
        """The frame in whose middle the turned specimen lies.

        Args:
            mask: (height, width), not empty.
            rotation: degrees counter-clockwise on screen.
            step: photograph pixels per pixel of the mask.
            size: width and height of the photograph; the mask's times `step` if not given.
        """
        ends = (corners(mask) * step).clip(max=size or np.inf)
        (left, top), (right, bottom) = ends.min(axis=0), ends.max(axis=0)
        box = int(left), int(top), int(right - left), int(bottom - top)
        turned = ends @ _turn(rotation).T
        low, high = turned.min(axis=0), turned.max(axis=0)
        longer, free = float(np.round((high - low).max(), 6)), 1 - 2 * MARGIN
        scale = min(1.0, free * LARGEST_PX / longer)
        side = min(LARGEST_PX, int(np.ceil(longer / free)))
        x, y = (low + high) / 2 @ _turn(rotation)
        if scale == 1 and rotation % 90 == 0:  # no pixel need be cut in two
            x, y = (np.ceil(one - side / 2 - 1e-6) + side / 2 for one in (x, y))
        return cls(box, (float(x), float(y)), rotation, scale, side)

    def taken(self, raster: Image.Image, step: int = 1) -> Image.Image:
        """The cut-out of a picture of the photograph, sampled once and as sharp as it allows.

        Args:
            raster: of any 8-bit mode; of RGBA the colours are weighted by alpha, so that what is
                transparent does not mix in.
            step: photograph pixels per pixel of `raster`.

        Returns:
            The same mode, `side` pixels square; 0 beyond the photograph.
        """
        weighted = "RGBa" if raster.mode == "RGBA" else raster.mode
        x, y, scale = self.centre[0] / step, self.centre[1] / step, self.scale * step
        quarters, odd = divmod(self.rotation, 90)
        if odd:
            return self._turned(raster, x, y, scale, weighted).convert(raster.mode)
        reach = self.side / scale / 2
        crop, left, top = _crop(raster, x, y, reach)
        if scale != 1 or crop.width != self.side:
            inner = (x - reach - left, y - reach - top, x + reach - left, y + reach - top)
            side = (self.side, self.side)
            crop = crop.convert(weighted)
            crop = crop.resize(side, Image.Resampling.BICUBIC, inner, reducing_gap=3)
        crop = crop.convert(raster.mode)
        return crop.transpose(_QUARTERS[int(quarters) % 4]) if quarters % 4 else crop

    def _turned(
        self, raster: Image.Image, x: float, y: float, scale: float, mode: str
    ) -> Image.Image:
        """Turned at twice the cut-out's size, where interpolation costs no detail."""
        crop, left, top = _crop(raster, x, y, self.side / scale / np.sqrt(2) + 2)
        crop = crop.convert(mode)
        kept = min(crop.width, int(np.ceil(crop.width * 2 * scale)))
        fine = kept / crop.width
        if fine < 1:
            crop = crop.resize((kept, kept), Image.Resampling.BICUBIC, reducing_gap=3)
        back = _turn(self.rotation).T * fine / scale / 2
        start = np.array([x - left, y - top]) * fine - back @ (self.side, self.side)
        way = (*back[0], start[0], *back[1], start[1])
        double = (2 * self.side, 2 * self.side)
        turned = crop.transform(double, Image.Transform.AFFINE, way, Image.Resampling.BICUBIC)
        return turned.resize((self.side, self.side), Image.Resampling.BICUBIC)


def _crop(raster: Image.Image, x: float, y: float, reach: float) -> tuple[Image.Image, int, int]:
    """A square about (x, y) that holds all within `reach`, its left and its top.

    It may reach beyond the photograph: that part is 0.
    """
    left, top = int(np.floor(x - reach + 1e-6)), int(np.floor(y - reach + 1e-6))
    ends = np.ceil(x + reach - 1e-6) - left, np.ceil(y + reach - 1e-6) - top
    side = int(max(ends))
    return raster.crop((left, top, left + side, top + side)), left, top


def _turn(degrees: float) -> Floats:
    """What turns (x, y), y down, counter-clockwise on screen; exact for quarter turns."""
    sin, cos = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    if degrees % 90 == 0:
        sin, cos = np.round(sin), np.round(cos)
    return np.array([[cos, sin], [-sin, cos]])
