"""A block of the map: a square that one process draws, from zoom Z up to where it is one tile.

What a block shows is a pure function of its pictures, so its tiles are the same bytes whoever draws
them. It is drawn in strips a tile high, so that its memory does not grow with what lies on it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from butterflies.files import link, writing
from butterflies.rendering.canvas import Canvas, Pixels, blend, shrink, strips
from butterflies.rendering.encode import Tile
from butterflies.rendering.layers import Placed
from butterflies.rendering.plan import Plan
from butterflies.rendering.spritefiles import Sprites
from butterflies.rendering.sprites import Sprite, picture, scaled, sprite
from butterflies.rendering.tilefiles import Record, TileFiles, read_record


@dataclass(frozen=True)
class Block:
    """A block's place, x and y among the blocks, and its pictures.

    Attributes:
        plan: what all blocks share.
        sprites: of the specimens here; the layers number them.
        base: the specimens, at zoom Z.
        above: representatives by zoom.
        crisp: whether it is zoom Z + 1 that is drawn, from the stored cut-outs, and nothing else.
    """

    plan: Plan
    x: int
    y: int
    sprites: Sprites
    base: Placed
    above: Mapping[int, Placed]
    crisp: bool = False

    @property
    def name(self) -> str:
        return f"{'crisp-' if self.crisp else ''}{self.x}-{self.y}"

    @property
    def side(self) -> int:
        """Its width at zoom Z."""
        return self.plan.tile_px << self.plan.levels

    @cached_property
    def mark(self) -> str:
        """A hash of all that shows on it."""
        found = hashlib.sha256(f"{self.plan.look} {self.name}".encode())
        for zoom, placed in [(-1, self.base), *sorted(self.above.items())]:
            found.update(f" {zoom} ".encode())
            found.update(_content(self.sprites, placed))
        return found.hexdigest()[:16]


def _content(sprites: Sprites, placed: Placed) -> bytes:
    """Which pictures lie where, in an order of its own."""
    marks = sprites.rows["mark"][placed.numbers].view(np.int64)
    rows = np.stack([*placed.centres.T, marks, placed.rooms.view(np.int64), placed.widths])
    return rows[:, np.lexsort(rows)].tobytes()


def draw_block(block: Block) -> Record:
    """Writes a block's tiles and keeps its top, unless that is done; its record."""
    plan, done = block.plan, block.plan.work / f"{block.name}.json"
    record = read_record(done)
    if record.get("mark") == block.mark:
        return record
    earlier = plan.earlier
    known = earlier.record(block.name) if earlier else {}
    files = plan.tile_files(known.get("tiles", {}))
    if not (known.get("mark") == block.mark and _take_over(block, files)):
        files = plan.tile_files(known.get("tiles", {}))
        if block.crisp:
            _draw_crisp(block, files)
        else:
            _keep(top_file(plan.work, block.x, block.y), _draw(block, files))
    return files.record(done, block.mark)


def _take_over(block: Block, files: TileFiles) -> bool:
    """Takes all of an earlier block over; False when some of it is gone."""
    plan = block.plan
    if not block.crisp and plan.earlier:
        there = top_file(plan.earlier.work, block.x, block.y)
        if not link(there, top_file(plan.work, block.x, block.y)):
            return False
    return files.take_all()


def top_file(work: Path, x: int, y: int) -> Path:
    """Where a block's top lies: its base layer, half as wide as a tile."""
    return work / f"{x}-{y}.npz"


def _keep(path: Path, pixels: Pixels) -> None:
    with writing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, pixels=pixels)


def read_top(work: Path, x: int, y: int) -> Pixels:
    with np.load(top_file(work, x, y)) as found:
        return np.asarray(found["pixels"])


def _draw(block: Block, files: TileFiles) -> Pixels:
    """Writes the tiles of zoom Z and above; the block's top."""
    plan, px = block.plan, block.plan.tile_px
    pixels = _draw_deepest(block, files)
    for zoom in range(plan.zoom - 1, plan.zoom - plan.levels - 1, -1):
        for row, over in enumerate(_representatives(block, zoom)):
            for column in range(len(pixels) // px):
                own = pixels[row * px : (row + 1) * px, column * px : (column + 1) * px]
                _add_tile(block, files, (zoom, column, row), own, over)
        pixels = shrink(pixels)
    return pixels


def _draw_deepest(block: Block, files: TileFiles) -> Pixels:
    """Writes the tiles of zoom Z; the base layer of the zoom above it."""
    plan, px, side = block.plan, block.plan.tile_px, block.side
    blank = np.full((px, px, 3), plan.ground, np.uint16)
    above = np.full((side // 2, side // 2, 3), plan.ground, np.uint16)
    base, half = block.base, px // 2

    def made(index: int) -> Sprite:
        return block.sprites.read(int(base.numbers[index]))

    drawn = strips(base, made, block.x * side, block.y * side, side, px)
    for row, (strip, over) in enumerate(
        zip(drawn, _representatives(block, plan.zoom), strict=True)
    ):
        for column in range(side // px):
            part, own = strip.part(column * px, px), blank
            if not part.blank:
                own = blend(plan.ground, part)
                area = np.s_[row * half : (row + 1) * half, column * half : (column + 1) * half]
                above[area] = shrink(own)
            elif over is None:
                continue
            _add_tile(block, files, (plan.zoom, column, row), own, over)
    return above


def _representatives(block: Block, zoom: int) -> Iterator[Canvas | None]:
    """The representatives of a zoom in strips a tile high; None where there are none."""
    plan = block.plan
    side = block.side >> (plan.zoom - zoom)
    placed = block.above.get(zoom)
    if placed is None:
        yield from [None] * (side // plan.tile_px)
        return
    made = partial(representative, block.sprites, placed)
    yield from strips(placed, made, block.x * side, block.y * side, side, plan.tile_px, True)


def representative(sprites: Sprites, placed: Placed, index: int) -> Sprite:
    """The sprite of a representative, made from that of the base layer."""
    whole = sprites.read(int(placed.numbers[index])).picture
    small = scaled(whole, int(placed.widths[index]))
    return sprite(small, float(placed.rooms[index]), sprites.shadow, True)


def _add_tile(
    block: Block, files: TileFiles, place: Tile, pixels: Pixels, over: Canvas | None
) -> None:
    """Writes a tile, representatives on top; `place` is within the block."""
    zoom, column, row = place
    px = block.plan.tile_px
    part = over.part(column * px, px) if over else None
    if part and not part.blank:
        pixels = blend(pixels, part, block.plan.ground)
    across = (block.side >> (block.plan.zoom - zoom)) // px
    files.add((zoom, block.x * across + column, block.y * across + row), pixels)


def _draw_crisp(block: Block, files: TileFiles) -> None:
    """Writes the tiles of zoom Z + 1."""
    plan, px, side = block.plan, block.plan.tile_px, 2 * block.side
    base = block.base
    twice = replace(base, centres=2 * base.centres, rooms=2 * base.rooms, widths=2 * base.widths)

    def made(index: int) -> Sprite:
        cutout = block.sprites.cutout(int(twice.numbers[index]))
        whole = picture(cutout, int(twice.widths[index]))
        return sprite(whole, float(twice.rooms[index]), block.sprites.shadow)

    drawn = strips(twice, made, block.x * side, block.y * side, side, px)
    for row, strip in enumerate(drawn, block.y * (side // px)):
        for at in range(0, side, px):
            part = strip.part(at, px)
            if not part.blank:
                tile = (plan.zoom + 1, (block.x * side + at) // px, row)
                files.add(tile, blend(plan.ground, part))
