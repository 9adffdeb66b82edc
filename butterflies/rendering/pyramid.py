"""The pyramid of tiles: a base layer shrunk from zoom to zoom, representatives above it.

The map is cut into blocks. A block's specimens are added up once, blended, cut into tiles and
shrunk in memory up to the zoom where the block is one tile; what lies above joins the blocks'
tops. A block is the unit of work and of resuming, and a pure function of its specimens, so the
tiles are the same bytes for any number of processes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from butterflies import compute
from butterflies.files import read_json, write_json, writing
from butterflies.rendering.canvas import WHITE, Canvas, Pixels, blend, canvas, shrink
from butterflies.rendering.encode import Encoder, Tile
from butterflies.rendering.layers import Cell, Placed
from butterflies.rendering.sprites import Sprite, SpriteFiles, picture, scaled, sprite
from butterflies.segmentation.store import CutoutStore


@dataclass(frozen=True)
class Pyramid:
    """What all blocks share.

    Attributes:
        tiles: folder of the tiles, `z/x/y`.
        work: folder of what is kept to resume, deletable afterwards.
        zoom: Z, the deepest zoom of the base layer; Z + 1 is drawn from the stored cut-outs.
        tile_px: width of a tile.
        encoder: of the tiles.
        sprites: the base layer's, at zoom Z.
        block_px: width of a block at zoom Z, which bounds the memory of a process: some 500 MB
            for 4,096.
    """

    tiles: Path
    work: Path
    zoom: int
    tile_px: int
    encoder: Encoder
    sprites: SpriteFiles
    block_px: int = 4096

    @property
    def levels(self) -> int:
        """Zooms in a block above Z."""
        return min(self.zoom, max(0, (self.block_px // self.tile_px).bit_length() - 1))

    def write(
        self, base: Placed, above: Mapping[int, Placed], workers: int = 0
    ) -> dict[int, set[Cell]]:
        """Writes all tiles that show something.

        Args:
            base: all specimens, at zoom Z.
            above: the representatives of zooms below Z.
            workers: processes, 0 = all cores.

        Returns:
            {zoom: {(x, y), ...}} of zooms 0 to Z + 1.
        """
        written = compute.each(_render_block, list(_blocks(self, base, above)), "tiles", workers)
        top = _Top(self, {zoom: p.by_cell(self.tile_px) for zoom, p in above.items()})
        top.draw(0, 0, 0)
        tiles: dict[int, set[Cell]] = {zoom: set() for zoom in range(self.zoom + 2)}
        for z, x, y in [*(tile for block in written for tile in block), *top.written]:
            tiles[z].add((x, y))
        for stray in self.tiles.glob("*/*/.*.tmp"):  # of a process that was killed
            stray.unlink()
        return tiles


@dataclass(frozen=True)
class Block:
    """A block's place, x and y among the blocks, and its pictures.

    Attributes:
        ids: assetIDs of the base layer's pictures here.
    """

    pyramid: Pyramid
    x: int
    y: int
    ids: list[str]
    base: Placed
    above: Mapping[int, Placed]

    @property
    def name(self) -> str:
        return f"{self.x}-{self.y}"


def _blocks(pyramid: Pyramid, base: Placed, above: Mapping[int, Placed]) -> Iterator[Block]:
    """The blocks on which something lies, row by row."""
    levels = pyramid.levels
    own = base.by_cell(pyramid.tile_px << levels)
    high = {
        zoom: placed.by_cell(pyramid.tile_px << (zoom - pyramid.zoom + levels))
        for zoom, placed in above.items()
        if zoom >= pyramid.zoom - levels
    }
    none = base.take(np.zeros(0, np.int64))
    for x, y in sorted({*own, *(cell for cells in high.values() for cell in cells)}):
        here = own.get((x, y), none)
        ids = [pyramid.sprites.ids[number] for number in here.numbers]
        reps = {zoom: cells[x, y] for zoom, cells in high.items() if (x, y) in cells}
        # The shared ids stay behind: a block brings its own.
        yield Block(_without_ids(pyramid), x, y, ids, here, reps)


def _without_ids(pyramid: Pyramid) -> Pyramid:
    return replace(pyramid, sprites=replace(pyramid.sprites, ids=()))


def _render_block(block: Block) -> list[Tile]:
    """Writes a block's tiles and keeps its top; the tiles written."""
    pyramid = block.pyramid
    done = pyramid.work / f"{block.name}.json"
    if not done.is_file():
        written = [*_deepest(block)]
        pixels = _base(block)
        for zoom in range(pyramid.zoom, pyramid.zoom - pyramid.levels - 1, -1):
            pixels = pixels if zoom == pyramid.zoom else shrink(pixels)
            written += _cut(block, zoom, pixels)
        _keep(pyramid.work / f"{block.name}.npy", pixels)
        write_json(done, written)
    return [(z, x, y) for z, x, y in read_json(done)]


def _keep(path: Path, pixels: Pixels) -> None:
    with writing(path) as temporary, temporary.open("wb") as file:
        np.save(file, pixels)


def _base(block: Block) -> Pixels:
    """The base layer of a block at zoom Z."""
    side = block.pyramid.tile_px << block.pyramid.levels
    placed = block.base
    read = block.pyramid.sprites.read
    drawn = ((read(n), x, y) for n, (x, y) in zip(placed.numbers, placed.centres, strict=True))
    added = canvas(drawn, block.x * side, block.y * side, side)
    pixels = np.full((side, side, 3), WHITE, np.uint16)
    for top, left, part in _parts(added, block.pyramid.tile_px):
        pixels[top : top + len(part.shadows), left : left + len(part.shadows)] = blend(WHITE, part)
    return pixels


def _parts(added: Canvas, px: int) -> Iterator[tuple[int, int, Canvas]]:
    """The tiles of a canvas that are not blank, with their place on it."""
    for top in range(0, len(added.shadows), px):
        for left in range(0, len(added.shadows), px):
            part = added.part(top, left, px)
            if not part.blank:
                yield top, left, part


def _cut(block: Block, zoom: int, pixels: Pixels) -> Iterator[Tile]:
    """Writes the tiles of one zoom, representatives on top."""
    pyramid, px = block.pyramid, block.pyramid.tile_px
    across = len(pixels) // px
    for row in range(across):
        for column in range(across):
            tile = (zoom, block.x * across + column, block.y * across + row)
            own = pixels[row * px : (row + 1) * px, column * px : (column + 1) * px]
            if zoom in block.above:
                own = _with_representatives(pyramid, tile, own, block.above[zoom])
            if pyramid.encoder.write(pyramid.tiles, tile, own):
                yield tile


def _with_representatives(pyramid: Pyramid, tile: Tile, pixels: Pixels, placed: Placed) -> Pixels:
    px = pyramid.tile_px
    left, top = tile[1] * px, tile[2] * px
    here = placed.touching(left, top, px)
    if not len(here.numbers):
        return pixels
    return blend(pixels, canvas(_representatives(pyramid, here), left, top, px, True))


def _representatives(pyramid: Pyramid, placed: Placed) -> Iterator[tuple[Sprite, int, int]]:
    for number, (x, y), room in zip(placed.numbers, placed.centres, placed.rooms, strict=True):
        made = scaled(pyramid.sprites.read(number).picture, placed.px)
        yield sprite(made, room, True), int(x), int(y)


def _deepest(block: Block) -> Iterator[Tile]:
    """Writes the tiles of zoom Z + 1 from the stored cut-outs, a quarter of the block at a time."""
    pyramid, px = block.pyramid, block.pyramid.tile_px
    side = px << pyramid.levels
    store = CutoutStore(pyramid.sprites.collection, pyramid.sprites.cutouts)
    base = block.base
    twice = Placed(np.arange(len(block.ids)), 2 * base.centres, 2 * base.rooms, 2 * base.px)
    for row, column in np.ndindex(2, 2):
        left, top = (2 * block.x + column) * side, (2 * block.y + row) * side
        here = twice.touching(left, top, side)
        drawn = (
            (sprite(picture(store.image(block.ids[n]), here.px), room), int(x), int(y))
            for n, (x, y), room in zip(here.numbers, here.centres, here.rooms, strict=True)
        )
        for down, across, part in _parts(canvas(drawn, left, top, side), px):
            tile = (pyramid.zoom + 1, (left + across) // px, (top + down) // px)
            if pyramid.encoder.write(pyramid.tiles, tile, blend(WHITE, part)):
                yield tile


@dataclass
class _Top:
    """The zooms above the blocks' tops, drawn depth first so that few tiles are in memory."""

    pyramid: Pyramid
    above: Mapping[int, Mapping[Cell, Placed]]
    written: list[Tile] = field(default_factory=list)

    def draw(self, z: int, x: int, y: int) -> Pixels | None:
        """The base layer of a tile, None when blank; writes it unless a block has."""
        if z == self.pyramid.zoom - self.pyramid.levels:
            kept = self.pyramid.work / f"{x}-{y}.npy"
            return np.asarray(np.load(kept)) if kept.is_file() else None
        base = self._join(z, x, y)
        placed = self.above.get(z, {}).get((x, y))
        if base is None and placed is None:
            return None
        px = self.pyramid.tile_px
        below = np.full((px, px, 3), WHITE, np.uint16) if base is None else base
        shown = _with_representatives(self.pyramid, (z, x, y), below, placed) if placed else below
        if self.pyramid.encoder.write(self.pyramid.tiles, (z, x, y), shown):
            self.written.append((z, x, y))
        return base

    def _join(self, z: int, x: int, y: int) -> Pixels | None:
        """Four children, shrunk."""
        half = self.pyramid.tile_px // 2
        joined: Pixels | None = None
        for row, column in np.ndindex(2, 2):
            child = self.draw(z + 1, 2 * x + column, 2 * y + row)
            if child is not None:
                if joined is None:
                    joined = np.full((2 * half, 2 * half, 3), WHITE, np.uint16)
                area = np.s_[row * half : (row + 1) * half, column * half : (column + 1) * half]
                joined[area] = shrink(child)
        return joined
