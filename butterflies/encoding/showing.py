"""Pictures of what codes hold: neighbours, traversals, the worst reconstructions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from butterflies.encoding.labels import Label
from butterflies.scatter import COLOURS, FAINT, INK
from butterflies.sheet import Pixels, Sheet

WRONG = COLOURS[1]
SMALL_PX, LARGE_PX, GAP_PX = 96, 128, 8
CAPTION_PX = 42
"""Below a specimen among its neighbours."""
BLOCK = 8
"""Rows of neighbours below each other; the next as many stand beside them."""


class Shown(NamedTuple):
    """A specimen to be shown: its picture (h, h, 3) and what is known of it."""

    picture: Pixels
    label: Label


def neighbours_sheet(rows: Sequence[Sequence[Shown]]) -> Pixels:
    """Specimens and their nearest neighbours, whose genus stands out where it is another.

    Args:
        rows: the specimen that is asked for first, then its neighbours, nearest first.

    Returns:
        The picture's pixels (height, width, 3).
    """
    step, line = SMALL_PX + GAP_PX, SMALL_PX + CAPTION_PX
    block = step * max(map(len, rows)) + 2 * GAP_PX
    blocks = -(-len(rows) // BLOCK)
    wide, high = blocks * (block + 40) - 40, min(len(rows), BLOCK) * line
    sheet = Sheet("Nearest neighbours", _neighbours_told(rows), wide, high)
    for number, (asked, *found) in enumerate(rows):
        x, y = number // BLOCK * (block + 40), number % BLOCK * line
        sheet.put(asked.picture, x, y, SMALL_PX)
        _name(sheet, asked.label, x, y + SMALL_PX + 3, SMALL_PX)
        for place, one in enumerate(found, 1):
            other = asked.label.genus and one.label.genus not in (asked.label.genus, None)
            at = x + 2 * GAP_PX + place * step
            sheet.put(one.picture, at, y, SMALL_PX)
            ink = WRONG if other else FAINT
            sheet.write(one.label.genus or "", at, y + SMALL_PX + 3, SMALL_PX, 12, ink, "italic")
    return sheet.pixels


def _neighbours_told(rows: Sequence[Sequence[Shown]]) -> str:
    """How many of the neighbours are of the genus that was asked for."""
    told = f"{len(rows)} validation specimens, each followed by its nearest others"
    both = [
        one.label.genus == asked.label.genus
        for asked, *found in rows
        for one in found
        if one.label.genus and asked.label.genus
    ]
    if not both:
        return told
    return f"{told}: {np.mean(both):.0%} are of its genus, the rest are named in orange"


def _name(sheet: Sheet, label: Label, x: int, y: int, width: int) -> None:
    """Genus and epithet, below each other."""
    genus, species = label.genus or "", label.species or ""
    for line, word in enumerate((genus, species.removeprefix(f"{genus} "))):
        sheet.write(word, x, y + 15 * line, width, 12, INK, "italic")


def traversals_sheet(pictures: Pixels, steps: Sequence[float], shares: Sequence[float]) -> Pixels:
    """Decoded walks along principal directions of the codes, a row each.

    Args:
        pictures: (directions, steps, h, h, 3).
        steps: how far from the mean code, in standard deviations along the direction.
        shares: of the codes' variance along each direction, 0 to 1.

    Returns:
        The picture's pixels (height, width, 3).
    """
    step, margin, top = SMALL_PX + GAP_PX, 76, 26
    wide, high = margin + len(steps) * step - GAP_PX, top + len(shares) * step - GAP_PX
    told = "Decoded codes on the principal directions of the validation codes through their mean"
    sheet = Sheet("Latent traversals", told, wide, high)
    for column, far in enumerate(steps):
        head = f"{far:+.1f} sd".replace("-", "\N{MINUS SIGN}") if far else "mean"
        sheet.write(head, margin + column * step, 0, SMALL_PX, 13, FAINT, centred=True)
    for row, share in enumerate(shares):
        y = top + row * step
        sheet.write(f"{row + 1}", 0, y + SMALL_PX // 2 - 20, margin, 16, INK, "bold")
        sheet.write(f"{share:.1%}", 0, y + SMALL_PX // 2 + 2, margin, 13)
        for column, picture in enumerate(pictures[row]):
            sheet.put(picture, margin + column * step, y, SMALL_PX)
    return sheet.pixels


def worst_sheet(
    shown: Sequence[Shown],
    reconstructions: Pixels,
    errors: Sequence[float],
    ids: Sequence[str],
) -> Pixels:
    """Pictures over their reconstructions, with error, name and assetID.

    Args:
        shown: the specimens.
        reconstructions: (n, h, h, 3).
        errors: n mean absolute errors in 0..1.
        ids: n assetIDs.

    Returns:
        The picture's pixels (height, width, 3).
    """
    step = LARGE_PX + GAP_PX
    told = "Validation pictures over their reconstructions, with the mean absolute error, 0 to 1"
    sheet = Sheet("Worst reconstructions", told, len(shown) * step - GAP_PX, 2 * LARGE_PX + 78)
    for number, (one, error) in enumerate(zip(shown, errors, strict=True)):
        x, y = number * step, 2 * LARGE_PX
        sheet.put(one.picture, x, 0, LARGE_PX)
        sheet.put(reconstructions[number], x, LARGE_PX, LARGE_PX)
        sheet.write(f"{error:.3f}", x, y + 6, LARGE_PX, 14, INK, "bold")
        _name(sheet, one.label, x, y + 27, LARGE_PX)
        sheet.write(ids[number], x, y + 61, LARGE_PX, 11)
    return sheet.pixels
