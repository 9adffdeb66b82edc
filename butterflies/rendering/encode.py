"""From pixels to the bytes of a tile's file."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.errors import UserError

Tile = tuple[int, int, int]
"""zoom, x, y."""

FORMATS = {"webp": ("WEBP", {"method": 2}), "jpg": ("JPEG", {}), "png": ("PNG", {})}


@dataclass(frozen=True)
class Encoder:
    """How tiles become files.

    Attributes:
        format: webp, jpg or png.
        quality: 1 to 100; PNG has none.
    """

    format: str = "webp"
    quality: int = 80

    def check(self) -> None:
        """Raises UserError when there is no such format or quality."""
        if self.format not in FORMATS:
            raise UserError(f"format={self.format} is none of {', '.join(FORMATS)}.")
        if not 1 <= self.quality <= 100:
            raise UserError(f"quality={self.quality} is not between 1 and 100.")

    @property
    def suffix(self) -> str:
        return f".{self.format}"

    def encode(self, pixels: npt.NDArray[np.uint8]) -> bytes:
        """The file of pixels (h, w, 3)."""
        name, options = FORMATS[self.format]
        data = io.BytesIO()
        quality = {} if self.format == "png" else {"quality": self.quality}
        Image.fromarray(pixels).save(data, name, **options, **quality)
        return data.getvalue()
