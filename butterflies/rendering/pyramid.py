"""The pyramid of tiles: a base layer shrunk from zoom to zoom, representatives above it.

The map is cut into blocks. A block's specimens are added up once, blended, cut into tiles and
shrunk in memory up to the zoom where the block is one tile; what lies above joins the blocks'
tops. A block is the unit of work and of resuming, and of what a later map takes over: what looks
the same is not drawn again.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from butterflies import compute
from butterflies.files import read_json, write_json
from butterflies.rendering.blocks import Block, draw_block, read_top, representative
from butterflies.rendering.canvas import Pixels, blend, canvas, shrink
from butterflies.rendering.layers import Cell, Placed
from butterflies.rendering.plan import Plan
from butterflies.rendering.spritefiles import Sprites
from butterflies.rendering.sprites import Sprite
from butterflies.rendering.tilefiles import Record, tiles_of

LOOK = "look.json"
"""Tells beside the records which look they are of."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        tiles: {zoom: {(x, y), ...}} of all zooms there are.
        drawn: how many of them were drawn; the others were taken over from an earlier map.
    """

    tiles: dict[int, set[Cell]]
    drawn: int

    @property
    def count(self) -> int:
        return sum(map(len, self.tiles.values()))

    def with_zooms_of(self, other: "Written") -> "Written":
        return Written(self.tiles | other.tiles, self.drawn + other.drawn)


@dataclass(frozen=True)
class Pyramid(Plan):
    """A pyramid that is drawn as its plan says."""

    def write(
        self, sprites: Sprites, base: Placed, above: Mapping[int, Placed], workers: int = 0
    ) -> Written:
        """Writes all tiles of zooms 0 to Z that show something.

        Args:
            sprites: of all specimens, as wide as they are at zoom Z.
            base: all specimens, at zoom Z.
            above: the representatives by zoom.
            workers: processes, 0 = all cores.
        """
        self._prepare()
        blocks = list(_blocks(self, sprites, base, above))
        records = compute.each(draw_block, blocks, "tiles", workers)
        by_cell = {zoom: placed.by_cell(self.tile_px) for zoom, placed in above.items()}
        records.append(_Top(self, sprites, {(b.x, b.y) for b in blocks}, by_cell).write())
        return self._written(records, range(self.zoom + 1))

    def write_crisp(self, sprites: Sprites, base: Placed, workers: int = 0) -> Written:
        """Writes zoom Z + 1, on which the stored cut-outs are drawn; arguments as above."""
        self._prepare()
        blocks = list(_blocks(self, sprites, base, {}, crisp=True))
        records = compute.each(draw_block, blocks, "tiles of the deepest zoom", workers)
        return self._written(records, [self.zoom + 1])

    def _prepare(self) -> None:
        """Clears away blocks of another look or size, as of a stopped run with other settings."""
        marker = self.work / LOOK
        if not marker.is_file() or read_json(marker) != self.look:
            shutil.rmtree(self.work, ignore_errors=True)
            write_json(marker, self.look)

    def _written(self, records: Sequence[Record], zooms: Sequence[int]) -> Written:
        tiles: dict[int, set[Cell]] = {zoom: set() for zoom in zooms}
        for z, x, y in (tile for record in records for tile in tiles_of(record)):
            tiles[z].add((x, y))
        for stray in self.tiles.glob("*/*/.*.tmp"):  # of a process that was killed
            stray.unlink()
        return Written(tiles, sum(record["drawn"] for record in records))


def _blocks(
    plan: Plan,
    sprites: Sprites,
    base: Placed,
    above: Mapping[int, Placed],
    crisp: bool = False,
) -> Iterator[Block]:
    """The blocks on which something lies, row by row."""
    levels = plan.levels
    own = base.by_cell(plan.tile_px << levels)
    high = {
        zoom: placed.by_cell(plan.tile_px << (zoom - plan.zoom + levels))
        for zoom, placed in above.items()
        if zoom >= plan.zoom - levels
    }
    none = base.take(np.zeros(0, np.int64))
    for x, y in sorted({*own, *(cell for cells in high.values() for cell in cells)}):
        here = {zoom: cells[x, y] for zoom, cells in high.items() if (x, y) in cells}
        lying = own.get((x, y), none)
        numbers = np.unique(np.concatenate([lying.numbers, *(p.numbers for p in here.values())]))
        above_it = {zoom: placed.renumbered(numbers) for zoom, placed in here.items()}
        base_of_it = lying.renumbered(numbers)
        yield Block(plan, x, y, sprites.take(numbers), base_of_it, above_it, crisp)


@dataclass
class _Top:
    """The zooms above the blocks' tops, drawn depth first so that few tiles are in memory."""

    plan: Plan
    sprites: Sprites
    blocks: Collection[Cell]
    above: Mapping[int, Mapping[Cell, Placed]]
    made: dict[tuple[int, int], Sprite] = field(default_factory=dict)

    def write(self) -> Record:
        earlier = self.plan.earlier
        known = earlier.record("top") if earlier else {}
        self.files = self.plan.tile_files(known.get("tiles", {}))
        self._draw(0, 0, 0)
        return self.files.record(self.plan.work / "top.json", self.plan.look)

    def _draw(self, z: int, x: int, y: int) -> Pixels | None:
        """The base layer of a tile, half as wide; None when blank."""
        if z == self.plan.zoom - self.plan.levels:
            return read_top(self.plan.work, x, y) if (x, y) in self.blocks else None
        base = self._join(z, x, y)
        placed = self.above.get(z, {}).get((x, y))
        if base is None and placed is None:
            return None
        px = self.plan.tile_px
        below = self._plain() if base is None else base
        if placed is not None:
            drawn = [(self._sprite(z, placed, n), *placed.place(n)) for n in range(len(placed))]
            over = canvas(drawn, x * px, y * px, px, px, hazy=True)
            shown = blend(below, over, self.plan.ground)
        self.files.add((z, x, y), below if placed is None else shown)
        return None if base is None else shrink(base)

    def _sprite(self, z: int, placed: Placed, index: int) -> Sprite:
        """Made once for the tiles that it touches."""
        key = (z, int(placed.numbers[index]))
        if key not in self.made:
            self.made[key] = representative(self.sprites, placed, index)
        return self.made[key]

    def _plain(self) -> Pixels:
        px = self.plan.tile_px
        return np.full((px, px, 3), self.plan.ground, np.uint16)

    def _join(self, z: int, x: int, y: int) -> Pixels | None:
        """The four tiles below, side by side."""
        half = self.plan.tile_px // 2
        joined: Pixels | None = None
        for row, column in np.ndindex(2, 2):
            child = self._draw(z + 1, 2 * x + column, 2 * y + row)
            if child is not None:
                joined = self._plain() if joined is None else joined
                area = np.s_[row * half : (row + 1) * half, column * half : (column + 1) * half]
                joined[area] = child
        return joined
