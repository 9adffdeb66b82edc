"""Contact sheets: the best and the worst cut-outs at a glance.

The quality of a cut-out is the product of marks from 0 to 1:

- its confidence;
- 0.5 where the specimen touches the photograph's border;
- 2 / (1 + n) for n connected parts;
- its longer side over 100 px where it is smaller: specks are seldom specimens;
- 1 down to 0.5 for a solidity from 0.9 to 1: no butterfly is as full as a card or a frame;
- 1 - damage / 2 and 1 - asymmetry / 2, where it is clear how the specimen lies.

Below each cut-out stand its assetID, its genus, its quality and what lowered it most.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from butterflies.files import writing
from butterflies.segmentation.orientation import CERTAIN
from butterflies.segmentation.pictures import decode
from butterflies.sheet import one_line, shortened

SHEETS = ("best", "worst")
COLUMNS, ROWS = 7, 6

_CELL, _GAP, _EDGE, _HEAD, _CAPTION = 202, 12, 32, 84, 62
_LEAST_FONT = 10
_PAGE, _TILE, _INK, _PALE, _STRONG = "#ffffff", "#f1f1ee", "#1f1f1f", "#737373", "#9a3412"

Row = Mapping[str, Any]


def sheet_path(folder: Path, which: str) -> Path:
    return folder / f"contact-sheet-{which}.png"


def write_sheets(
    folder: Path,
    rows: Sequence[Row],
    genera: Mapping[str, str | None],
    data: Callable[[str], bytes],
) -> None:
    """Writes both contact sheets into the cut-outs' folder.

    Args:
        folder: the cut-outs'.
        rows: of the cut-outs' table, those that are ok.
        genera: assetID -> genus.
        data: the file of a cut-out by assetID.
    """
    # Equals are ranked by assetID, so that the sheets are the same every time.
    ranked = sorted(rows, key=lambda row: (-quality(row), row["assetID"]))
    chosen = {"best": ranked, "worst": ranked[::-1]}
    for which in SHEETS:
        cells = chosen[which][: COLUMNS * ROWS]
        title = f"The {len(cells)} {which} of {len(rows):,} cut-outs, {which} first"
        pictures = [Image.fromarray(decode(data(row["assetID"]))) for row in cells]
        sheet = _sheet(title, cells, pictures, genera)
        with writing(sheet_path(folder, which)) as temporary:
            sheet.save(temporary, "PNG", optimize=True)


def quality(row: Row) -> float:
    """0 to 1; see the module."""
    return prod(_marks(row).values())


def verdict(row: Row) -> str:
    """The two marks that lowered a row's quality most, in a few words."""
    marks = _marks(row)
    worst = sorted((name for name in marks if marks[name] < 1), key=lambda name: marks[name])
    return " · ".join(worst[:2])


def _marks(row: Row) -> dict[str, float]:
    """Marks from 0 to 1 and what they are for; a column that is null gives none."""
    longer = round(max(row["box_w"], row["box_h"]) * row["scale"])
    marks = {
        f"confidence {row['confidence']:.2f}": row["confidence"],
        "at the border": 0.5 if row["touches_border"] else 1.0,
        f"{row['components']} parts": 2 / (1 + max(1, row["components"])),
        f"only {longer} px": min(1.0, longer / 100),
        f"solidity {row['solidity']:.2f}": float(np.interp(row["solidity"], (0.9, 1), (1, 0.5))),
    }
    if row["damage"] is not None and row["rotation_confidence"] >= CERTAIN:
        marks[f"damage {row['damage']:.2f}"] = 1 - row["damage"] / 2
        marks[f"asymmetry {row['asymmetry']:.2f}"] = 1 - row["asymmetry"] / 2
    return marks


def _sheet(
    title: str, rows: Sequence[Row], pictures: Sequence[Image.Image], genera: Mapping[str, Any]
) -> Image.Image:
    lines = max(1, -(-len(rows) // COLUMNS))
    wide = 2 * _EDGE + COLUMNS * (_CELL + _GAP) - _GAP
    high = _HEAD + lines * (_CELL + _CAPTION + _GAP) + _EDGE - _GAP
    page = Image.new("RGB", (wide, high), _PAGE)
    draw = ImageDraw.Draw(page)
    draw.text((_EDGE, 24), title, _INK, _font(22))
    legend = "assetID; genus and quality, 0 to 1; what lowered it most"
    draw.text((_EDGE, 53), legend, _PALE, _font(13))
    for number, (row, picture) in enumerate(zip(rows, pictures, strict=True)):
        line, column = divmod(number, COLUMNS)
        place = _EDGE + column * (_CELL + _GAP), _HEAD + line * (_CELL + _CAPTION + _GAP)
        _put(page, place, picture)
        _caption(draw, (place[0], place[1] + _CELL + 7), row, genera.get(row["assetID"]))
    return page


def _caption(draw: ImageDraw.ImageDraw, place: tuple[int, int], row: Row, genus: Any) -> None:
    x, y = place
    draw.text((x, y), *_fitting(row["assetID"], _CELL, _INK, 12))
    draw.text((x, y + 17), *_fitting(genus or "no genus", _CELL - 36, _PALE, 13))
    draw.text((x + _CELL, y + 17), f"{quality(row):.2f}", _INK, _font(13), anchor="ra")
    draw.text((x, y + 35), *_fitting(verdict(row), _CELL, _STRONG, 11))


def _put(page: Image.Image, place: tuple[int, int], picture: Image.Image) -> None:
    """A cut-out on its tile, made smaller where it must be."""
    x, y = place
    page.paste(_TILE, (x, y, x + _CELL, y + _CELL))
    picture.thumbnail((_CELL, _CELL), Image.Resampling.LANCZOS)
    corner = x + (_CELL - picture.width) // 2, y + (_CELL - picture.height) // 2
    page.paste(picture, corner, picture)


def _fitting(text: str, width: int, ink: str, size: int) -> tuple[str, str, ImageFont.FreeTypeFont]:
    """As much of a text as fits a width, smaller first, then without its middle; ink and font."""
    while size > _LEAST_FONT and _font(size).getlength(one_line(text)) > width:
        size -= 1
    return shortened(text, width, _font(size)), ink, _font(size)


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow's wheels have FreeType"
    return font
