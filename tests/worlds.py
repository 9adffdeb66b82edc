"""Forty pictures on a small map, and what lies on disk when they are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from butterflies.mapping.spread import spread
from butterflies.rendering.encode import Encoder
from butterflies.rendering.layers import Placed
from butterflies.rendering.pyramid import Pyramid, Written
from butterflies.rendering.spritefiles import SpriteFiles, Sprites
from butterflies.segmentation.store import CutoutStore
from tests.cutout_sets import blob, write_cutouts

PX, TILE, ZOOM, MAP = 32, 64, 3, 512
Tiles = dict[int, set[tuple[int, int]]]


@dataclass
class World:
    """Forty pictures on a map of 512 px, in four by four blocks."""

    collection: Path
    pyramid: Pyramid
    sprites: Sprites
    base: Placed

    def write(
        self, folder: Path, above: Mapping[int, Placed] | None = None, **changes: Any
    ) -> Tiles:
        return self.written(self.at(folder, **changes), above=above).tiles

    def written(
        self,
        pyramid: Pyramid,
        base: Placed | None = None,
        above: Mapping[int, Placed] | None = None,
        workers: int = 1,
    ) -> Written:
        base = self.base if base is None else base
        found = pyramid.write(self.sprites, base, above or {}, workers)
        return found.with_zooms_of(pyramid.write_crisp(self.sprites, base, workers))

    def at(self, folder: Path, **changes: Any) -> Pyramid:
        return replace(self.pyramid, tiles=folder / "tiles", work=folder / "work", **changes)


def make_world(folder: Path) -> World:
    pictures = {f"b{number:02d}": blob(number) for number in range(40)}
    collection = write_cutouts(folder / "collection", pictures)
    store = CutoutStore(collection)
    sprites = SpriteFiles(folder / "sprites", store, store.ids, PX).make(workers=1)
    rooms = sprites.rooms
    xy = np.random.default_rng(0).normal(size=(40, 2))
    places, _ = spread(xy, rooms, MAP, margin=24)
    pyramid = Pyramid(folder, folder, ZOOM, TILE, Encoder("png"), block_px=128)
    base = Placed(np.arange(40), places.astype(np.int64), rooms, np.full(40, PX))
    return World(collection, pyramid, sprites, base)


def stitched(tiles: Path, zoom: int) -> Any:
    width = TILE * 2**zoom
    whole = np.full((width, width, 3), 255, np.uint8)
    for file in (tiles / str(zoom)).glob("*/*.png"):
        x, y = int(file.parent.name) * TILE, int(file.stem) * TILE
        whole[y : y + TILE, x : x + TILE] = np.asarray(Image.open(file))
    return whole


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}
