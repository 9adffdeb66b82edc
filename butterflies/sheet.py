"""White sheets of pictures with a title and captions, in the look of the scatter plots."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import matplotlib
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from butterflies.files import writing
from butterflies.scatter import FAINT, INK

Pixels = npt.NDArray[np.uint8]
Face = Literal["regular", "bold", "italic"]

FILES = {
    "regular": "DejaVuSans.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "italic": "DejaVuSans-Oblique.ttf",
}
EDGE_PX = 36
"""White around everything."""
HEAD_PX = 122
"""From the top to the first picture."""


class Sheet:
    """A white page, as wide as its title needs at least.

    Args:
        title: in bold.
        subtitle: below it.
        wide: of what lies between the edges, in pixels.
        high: of what lies below the title, in pixels.
    """

    def __init__(self, title: str, subtitle: str, wide: int, high: int) -> None:
        texts = (font(28, "bold").getlength(title), font(16).getlength(subtitle))
        inner = max(wide, *(round(length) + 1 for length in texts))
        self.image = Image.new("RGB", (inner + 2 * EDGE_PX, HEAD_PX + high + EDGE_PX), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.draw.text((EDGE_PX, 32), title, INK, font(28, "bold"))
        self.draw.text((EDGE_PX, 74), subtitle, FAINT, font(16))

    @property
    def pixels(self) -> Pixels:
        """(height, width, 3)."""
        return np.asarray(self.image)

    def put(self, picture: Pixels, x: int, y: int, side: int) -> None:
        """Lays a square picture (h, h, 3) on the sheet, `side` pixels wide."""
        made = Image.fromarray(picture)
        if made.width != side:
            made = made.resize((side, side), Image.Resampling.LANCZOS)
        self.image.paste(made, (EDGE_PX + x, HEAD_PX + y))

    def write(
        self,
        text: str,
        x: int,
        y: int,
        width: int,
        size: int = 13,
        ink: str = FAINT,
        face: Face = "regular",
        centred: bool = False,
    ) -> None:
        """Writes as much of a text as fits `width` from its upper left corner on."""
        letters = font(size, face)
        place = EDGE_PX + x + (width // 2 if centred else 0), HEAD_PX + y
        shown = shortened(text, width, letters)
        self.draw.text(place, shown, ink, letters, anchor="ma" if centred else "la")


@lru_cache
def font(size: int, face: Face = "regular") -> ImageFont.FreeTypeFont:
    """DejaVu Sans, the letters of the plots: matplotlib brings them along."""
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    return ImageFont.truetype(folder / FILES[face], size)


def shortened(text: str, width: int, letters: ImageFont.FreeTypeFont) -> str:
    """A text on one line, without its middle where it is wider than `width` pixels."""
    text = one_line(text)
    shown, kept = text, len(text) // 2
    while letters.getlength(shown) > width and kept:
        shown = f"{text[:kept]}…{text[-kept:]}"
        kept -= 1
    return shown


def one_line(text: str) -> str:
    """A text without line breaks and whatever else cannot be printed."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def write_png(path: Path, pixels: Pixels) -> None:
    """Writes pixels (height, width, 3) as PNG, twice as fast as by default and hardly larger."""
    with writing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", compress_level=3)
