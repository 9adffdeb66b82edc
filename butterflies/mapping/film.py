"""The points of a map finding their places, as a short film coloured by genus."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw

from butterflies.film import write_film
from butterflies.scatter import FAINT, INK, OTHER, UNKNOWN, Group, groups
from butterflies.sheet import font, shortened

PX = 600
"""Height of the film, and width of its map."""

LEGEND_PX = 170
EDGE_PX = 24
FINER = 2
"""Drawn so many times larger and shrunk: dots get smooth edges."""

OUTSIDE = 0.0005
"""Share of the points beyond each side that a picture need not hold: few run far ahead."""

Pixels = npt.NDArray[np.uint8]


def write_steps(
    path: Path, frames: Mapping[int, npt.NDArray[np.float32]], genera: Sequence[str | None]
) -> None:
    """Writes an animated WebP of a projection under way.

    Args:
        path: of the WebP.
        frames: step -> (n, 2), y down; a picture fits its own: t-SNE grows a million-fold.
        genera: n genera, None where unknown.
    """
    found = groups(genera)
    ground = _ground(found)
    pictures = [_picture(ground, points, found, step) for step, points in frames.items()]
    write_film(path, pictures)


def dots(points: npt.NDArray[np.float32], found: Sequence[Group], px: int) -> Pixels:
    """A square white picture (px, px, 3) with a dot for each point, frequent genera on top.

    Args:
        points: (n, 2), of which nearly all are fitted into the picture.
        found: the groups that colour and shape them.
        px: its width.
    """
    fine = px * FINER
    radius = float(np.clip(90 * FINER / np.sqrt(len(points)), 0.6 * FINER, 4.5 * FINER))
    low, high = np.quantile(points, [OUTSIDE, 1 - OUTSIDE], axis=0)
    scale = (fine - 2 * EDGE_PX * FINER) / (float((high - low).max()) or 1.0)
    centres = np.rint((points - (low + high) / 2) * scale + fine / 2).astype(int)
    shown = ((centres >= radius) & (centres < fine - radius)).all(axis=1)
    canvas = np.full((fine, fine, 3), 255, np.uint8)
    for group in reversed(found):
        places = centres[shown & group.members, None] + _shape(group.marker, radius)
        canvas[places[..., 1], places[..., 0]] = ImageColor.getrgb(group.colour)
    return np.asarray(Image.fromarray(canvas).reduce(FINER))


def _shape(marker: str, radius: float) -> npt.NDArray[np.intp]:
    """The pixels (k, 2), x and y from the middle, of a disc or of a triangle."""
    reach = int(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    triangle = 2 * np.abs(x) <= y + radius
    inside = triangle if marker == "^" else x**2 + y**2 <= radius**2
    return np.column_stack([x[inside], y[inside]])


def _ground(found: Sequence[Group]) -> Image.Image:
    """White, with the legend on the right."""
    image = Image.new("RGB", (PX + LEGEND_PX, PX), "white")
    draw = ImageDraw.Draw(image)
    for number, group in enumerate(found):
        top = EDGE_PX + 24 * number
        corners = [(PX + 9, top), (PX + 14, top + 10), (PX + 4, top + 10)]
        if group.marker == "^":
            draw.polygon(corners, group.colour)
        else:
            draw.ellipse((PX + 4, top, PX + 14, top + 10), group.colour)
        named = group.colour not in (OTHER, UNKNOWN)
        letters = font(12, "italic" if named else "regular")
        label = shortened(group.label, LEGEND_PX - 32, letters)
        draw.text((PX + 22, top + 5), label, INK, letters, anchor="lm")
    return image


def _picture(
    ground: Image.Image, points: npt.NDArray[np.float32], found: Sequence[Group], step: int
) -> Image.Image:
    image = ground.copy()
    image.paste(Image.fromarray(dots(points, found, PX)), (0, 0))
    draw = ImageDraw.Draw(image)
    draw.text((EDGE_PX, EDGE_PX), f"Step {step:,}", FAINT, font(14), anchor="lm")
    return image
