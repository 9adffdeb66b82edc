"""Tile files: formats, suffixes, blank ones left out."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from butterflies.errors import UserError
from butterflies.files import write_bytes
from butterflies.rendering.canvas import Pixels, to_bytes

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

    def write(self, folder: Path, tile: Tile, pixels: Pixels) -> bool:
        """Writes `<folder>/z/x/y.<format>`; False when the tile would be all white."""
        rounded = to_bytes(pixels)
        if (rounded == 255).all():
            return False
        name, options = FORMATS[self.format]
        data = io.BytesIO()
        quality = {} if self.format == "png" else {"quality": self.quality}
        Image.fromarray(np.ascontiguousarray(rounded)).save(data, name, **options, **quality)
        z, x, y = tile
        write_bytes(folder / str(z) / str(x) / f"{y}{self.suffix}", data.getvalue())
        return True
