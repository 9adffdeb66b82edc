"""What lies beside a specimen: typed and handwritten labels, code blocks, bars, rulers, cards."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_PAPERS = ((246, 243, 234), (238, 228, 200), (226, 210, 170), (214, 226, 222), (244, 214, 204))
_INKS = ((30, 28, 30), (48, 36, 30), (40, 46, 84), (120, 34, 30))
_PATCHES = (
    "735244 c29682 627a9d 576c43 8580b1 67bdaa d67e2c 505ba6 c15a63 5e3c6c 9dbc40 e0a32e "
    "383d96 469449 af363c e7c71f bb5695 0885a1 f3f3f2 c8c8c8 a0a0a0 7a7a79 555555 343434"
)
ZOOM = 2  # labels are drawn this much larger than they appear

Maker = Callable[[np.random.Generator, dict[str, str]], Image.Image]


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _plain(text: str) -> str:
    """Drop accents, which the font that comes with Pillow lacks."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _sheet(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A piece of label paper with a faint border."""
    paper = tuple(np.clip(rng.choice(_PAPERS) + rng.integers(-8, 9), 0, 255).tolist())
    sheet = Image.new("RGB", (width * ZOOM, height * ZOOM), paper)
    edge = tuple(int(value * 0.72) for value in paper)
    ImageDraw.Draw(sheet).rectangle((0, 0, sheet.width - 1, sheet.height - 1), outline=edge)
    return sheet


def typed(rng: np.random.Generator, record: dict[str, str]) -> Image.Image:
    """A typed or printed label with two to four lines from the record."""
    date = ".".join(part for part in (record["day"], record["month"], record["year"]) if part)
    lines = [record["country"], record["locality"], date, record["catalogNumber"]]
    if rng.random() < 0.4:
        lines = [record["genus"], record["specificEpithet"], record["sex"], "drawn by butterflies"]
    lines = [_plain(line) for line in lines if line][: int(rng.integers(2, 5))]
    size = int(rng.integers(7, 10)) * ZOOM
    font = _font(size)
    wide = max(font.getlength(line) for line in lines) / ZOOM
    sheet = _sheet(rng, int(wide) + 9, int((len(lines) * 1.25 + 0.5) * size / ZOOM) + 3)
    ink = tuple(rng.choice(_INKS).tolist())
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        draw.text((4 * ZOOM, (2 + number * 1.25 * size / ZOOM) * ZOOM), line, fill=ink, font=font)
    return sheet


def handwritten(rng: np.random.Generator, record: dict[str, str]) -> Image.Image:
    """A label in a hand that nobody can read any more."""
    rows = int(rng.integers(2, 4))
    sheet = _sheet(rng, int(rng.integers(48, 84)), 8 + rows * 11)
    draw = ImageDraw.Draw(sheet)
    ink = tuple(rng.choice(_INKS).tolist())
    for row in range(rows):
        x, base = 5.0 * ZOOM, (12 + row * 11) * ZOOM
        end = sheet.width - rng.uniform(6, 22) * ZOOM
        while x < end:
            word = int(rng.integers(3, 8)) * 4
            t = np.arange(word)
            tall = np.where(rng.random(word) < 0.2, 2.6, 1.2)
            up = np.where(t % 2 == 0, 0.4, -tall * rng.uniform(1.4, 2.6, word)) * ZOOM
            across = x + np.cumsum(rng.uniform(0.6, 1.9, word)) * ZOOM
            line = [(float(a), float(base + b)) for a, b in zip(across, up, strict=True)]
            draw.line(line, fill=ink, width=1)
            x = float(across[-1]) + 4 * ZOOM
    return sheet


def code_block(rng: np.random.Generator, record: dict[str, str]) -> Image.Image:
    """A label with a square code and the catalogue number."""
    sheet = _sheet(rng, 66, 26)
    cells = (rng.random((15, 15)) < 0.5).astype(np.uint8) * 220
    cells[:, 0] = cells[-1, :] = 0
    block = Image.fromarray(cells).resize((22 * ZOOM, 22 * ZOOM), Image.Resampling.NEAREST)
    sheet.paste(block.convert("RGB"), (sheet.width - 24 * ZOOM, 2 * ZOOM))
    draw = ImageDraw.Draw(sheet)
    number = record["catalogNumber"]
    draw.text((3 * ZOOM, 3 * ZOOM), "DRAWN", fill=(30, 30, 30), font=_font(8 * ZOOM))
    draw.text((3 * ZOOM, 14 * ZOOM), number[-6:], fill=(30, 30, 30), font=_font(8 * ZOOM))
    return sheet


def bars(rng: np.random.Generator, record: dict[str, str]) -> Image.Image:
    """A label with a bar code."""
    sheet = _sheet(rng, 76, 26)
    draw = ImageDraw.Draw(sheet)
    x = 5
    while x < sheet.width - 10:
        wide = int(rng.integers(1, 5))
        draw.rectangle((x, 4, x + wide - 1, 16 * ZOOM), fill=(24, 24, 26))
        x += wide + int(rng.integers(2, 6))
    draw.text((5, 17 * ZOOM), record["catalogNumber"], fill=(30, 30, 30), font=_font(7 * ZOOM))
    return sheet


def colour_card(rng: np.random.Generator, record: dict[str, str]) -> Image.Image:
    """A card of 24 colour patches."""
    sheet = Image.new("RGB", (68 * ZOOM, 46 * ZOOM), (22, 22, 22))
    draw = ImageDraw.Draw(sheet)
    for number, text in enumerate(_PATCHES.split()):
        x, y = (2 + number % 6 * 11) * ZOOM, (2 + number // 6 * 11) * ZOOM
        draw.rectangle((x, y, x + 9 * ZOOM, y + 9 * ZOOM), fill=f"#{text}")
    return sheet


def scale_bar(rng: np.random.Generator, record: dict[str, str]) -> Image.Image:
    """A chequered centimetre bar."""
    sheet = Image.new("RGB", (84 * ZOOM, 14 * ZOOM), (240, 240, 238))
    draw = ImageDraw.Draw(sheet)
    for part in range(4):
        box = (2 + part * 20) * ZOOM
        draw.rectangle((box, 2 * ZOOM, box + 10 * ZOOM, 6 * ZOOM), fill=(20, 20, 20))
    draw.text((4 * ZOOM, 7 * ZOOM), "1 cm", fill=(20, 20, 20), font=_font(6 * ZOOM))
    return sheet


def ruler(rng: np.random.Generator, length: int, step: float) -> Image.Image:
    """A millimetre ruler of a length in pixels, `step` pixels a centimetre."""
    dark = rng.random() < 0.15
    paper, ink = ((34, 35, 38), (225, 225, 225)) if dark else ((233, 230, 220), (30, 30, 30))
    sheet = Image.new("RGB", (length * ZOOM, 30 * ZOOM), paper)
    draw = ImageDraw.Draw(sheet)
    first, start = int(rng.integers(0, 12)), float(rng.uniform(0, step))
    for tick in range(int((length + step) / step * 10)):
        x = (start - step + tick * step / 10) * ZOOM
        tall = {0: 12, 5: 9}.get(tick % 10, 6) * ZOOM
        draw.line((x, 0, x, tall), fill=ink, width=1 if tick % 10 else 2)
        if tick % 10 == 0:
            text = str(first + tick // 10)
            draw.text((x, 21 * ZOOM), text, fill=ink, font=_font(11 * ZOOM), anchor="mm")
    return sheet


LABELS: tuple[tuple[Maker, float], ...] = (
    (typed, 0.40), (handwritten, 0.26), (code_block, 0.16), (bars, 0.10), (colour_card, 0.08),
)  # fmt: skip
