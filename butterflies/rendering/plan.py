"""How a pyramid of tiles is to look, and where it goes."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from butterflies import rendering
from butterflies.rendering.canvas import Pixels
from butterflies.rendering.encode import Encoder
from butterflies.rendering.sprites import Shadow
from butterflies.rendering.tilefiles import Colour, Earlier, TileFiles
from butterflies.tracking.provenance import hash_of


@dataclass(frozen=True)
class Plan:
    """What all blocks of a pyramid share.

    Attributes:
        tiles: folder of the tiles, `z/x/y`.
        work: folder of the blocks' records and tops, to resume by and for later maps.
        zoom: Z, the deepest zoom of the base layer.
        tile_px: width of a tile, a power of two.
        encoder: of the tiles.
        background: 8-bit sRGB.
        shadow: of the pictures; the sprites have the same.
        block_px: width of a block at zoom Z, which bounds the memory of a process: some 150 MB
            for 4,096.
        earlier: a map whose tiles are taken over where they look the same.
    """

    tiles: Path
    work: Path
    zoom: int
    tile_px: int
    encoder: Encoder
    background: Colour = (255, 255, 255)
    shadow: Shadow = field(default_factory=Shadow)
    block_px: int = 4096
    earlier: Earlier | None = None

    @property
    def levels(self) -> int:
        """Zooms in a block above Z."""
        return min(self.zoom, max(0, (self.block_px // self.tile_px).bit_length() - 1))

    @property
    def ground(self) -> Pixels:
        """The background as pixels, (3,)."""
        return np.array(self.background, np.uint16) * np.uint16(256)

    @cached_property
    def look(self) -> str:
        """A hash of what shows in all tiles, or decides which tile is in which block."""
        looks = (self.encoder, self.background, self.shadow, self.tile_px, self.zoom, self.levels)
        return hash_of([*looks, rendering.VERSION])

    def tile_files(self, known: dict[str, str]) -> TileFiles:
        return TileFiles(self.tiles, self.encoder, self.background, self.earlier, known)
