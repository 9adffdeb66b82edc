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

INSIDE = 0.999
"""Share of the points that a picture must hold; a few run far ahead of the others."""

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
    order = np.concatenate([np.flatnonzero(group.members) for group in reversed(found)])
    colours = np.zeros((len(genera), 3), np.uint8)
    for group in found:
        colours[group.members] = ImageColor.getrgb(group.colour)
    pictures = [
        _picture(ground, frame[order], colours[order], f"Step {step:,}")
        for step, frame in frames.items()
    ]
    write_film(path, pictures)


def dots(points: npt.NDArray[np.float32], colours: Pixels, px: int) -> Pixels:
    """A square white picture (px, px, 3) with a dot for each point, the last on top.

    Args:
        points: (n, 2), fitted into the picture about their middle.
        colours: (n, 3).
        px: its width.
    """
    fine = px * FINER
    radius = float(np.clip(90 * FINER / np.sqrt(len(points)), 0.6 * FINER, 4.5 * FINER))
    middle = np.median(points, axis=0)
    reach = float(np.quantile(np.abs(points - middle).max(axis=1), INSIDE)) or 1.0
    scale = (fine / 2 - EDGE_PX * FINER) / reach
    centres = np.rint((points - middle) * scale + fine / 2).astype(int)
    canvas = np.full((fine, fine, 3), 255, np.uint8)
    y, x = np.mgrid[-int(radius) : int(radius) + 1, -int(radius) : int(radius) + 1]
    inside = x**2 + y**2 <= radius**2
    shown = ((centres >= radius) & (centres < fine - radius)).all(axis=1)
    places = centres[shown, None] + np.column_stack([x[inside], y[inside]])
    canvas[places[..., 1], places[..., 0]] = colours[shown, None]
    return np.asarray(Image.fromarray(canvas).reduce(FINER))


def _ground(found: Sequence[Group]) -> Image.Image:
    """White, with the legend on the right."""
    image = Image.new("RGB", (PX + LEGEND_PX, PX), "white")
    draw = ImageDraw.Draw(image)
    for number, group in enumerate(found):
        top = EDGE_PX + 24 * number
        draw.ellipse((PX + 4, top, PX + 14, top + 10), group.colour)
        named = group.colour not in (OTHER, UNKNOWN)
        letters = font(12, "italic" if named else "regular")
        label = shortened(group.label, LEGEND_PX - 32, letters)
        draw.text((PX + 22, top + 5), label, INK, letters, anchor="lm")
    return image


def _picture(
    ground: Image.Image, points: npt.NDArray[np.float32], colours: Pixels, title: str
) -> Image.Image:
    image = ground.copy()
    image.paste(Image.fromarray(dots(points, colours, PX)), (0, 0))
    ImageDraw.Draw(image).text((EDGE_PX, EDGE_PX), title, FAINT, font(14), anchor="lm")
    return image
