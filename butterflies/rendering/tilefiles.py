"""Tiles on their way to disk: blank ones are left out, known ones are taken over.

A record tells of a block what it was drawn from and which tiles it has:

    {"mark": hash of all that shows on it, "tiles": {"z/x/y": hash of its pixels}, "drawn": 12}

`drawn` counts the tiles that were encoded; the others are those of an earlier map.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from butterflies.files import link, read_json, write_bytes, write_json
from butterflies.rendering.archive import open_archive
from butterflies.rendering.canvas import Pixels, to_bytes
from butterflies.rendering.encode import Encoder, Tile

Record = dict[str, Any]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Earlier:
    """The tiles of an earlier map of the same look, which a new one may take over.

    Attributes:
        tiles: their folder, or the archive that holds them.
        work: the records.
    """

    tiles: Path
    work: Path

    def record(self, name: str) -> Record:
        """What was drawn under a name; empty where nothing was."""
        return read_record(self.work / f"{name}.json")

    def take(self, name: str, target: Path) -> bool:
        """Puts the tile `z/x/y` at `target`; False when it is not there."""
        if self.tiles.is_file():
            z, x, y = map(int, name.split("/"))
            data = open_archive(self.tiles).tile((z, x, y))
            if data is not None:
                write_bytes(target, data)
            return data is not None
        return link(self.tiles / f"{name}{target.suffix}", target)


@dataclass
class TileFiles:
    """Where the tiles of a block go.

    Attributes:
        folder: of all tiles, `z/x/y`.
        encoder: makes their bytes.
        background: 8-bit sRGB; a tile of nothing else is blank.
        earlier: an earlier map, if any.
        known: tiles of that map that may be the same: {"z/x/y": hash of the pixels}.
        made: the tiles there are now, likewise.
        drawn: how many of them were encoded.
    """

    folder: Path
    encoder: Encoder
    background: Colour
    earlier: Earlier | None = None
    known: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    drawn: int = 0

    def add(self, tile: Tile, pixels: Pixels) -> None:
        """Writes a tile unless it is blank."""
        rounded = np.ascontiguousarray(to_bytes(pixels))
        if np.array_equal(rounded, _plain(len(rounded), self.background)):
            return
        name = "/".join(map(str, tile))
        mark = hashlib.sha256(rounded.data).hexdigest()[:16]
        path = self.folder / f"{name}{self.encoder.suffix}"
        same = self.earlier is not None and self.known.get(name) == mark
        if not (same and self.earlier and self.earlier.take(name, path)):
            write_bytes(path, self.encoder.encode(rounded))
            self.drawn += 1
        self.made[name] = mark

    def take_all(self) -> bool:
        """Takes all known tiles over; False when one of them is not there."""
        for name, mark in self.known.items():
            path = self.folder / f"{name}{self.encoder.suffix}"
            if not (self.earlier and self.earlier.take(name, path)):
                return False
            self.made[name] = mark
        return True

    def record(self, path: Path, mark: str) -> Record:
        """Writes down what there is, and gives it back."""
        record: Record = {"mark": mark, "tiles": self.made, "drawn": self.drawn}
        write_json(path, record)
        return record


def read_record(path: Path) -> Record:
    """A record; empty where there is none that can be read."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"mark", "tiles", "drawn"} <= set(found) else {}


def tiles_of(record: Record) -> list[Tile]:
    found = (map(int, name.split("/")) for name in record["tiles"])
    return [(z, x, y) for z, x, y in found]


@lru_cache(maxsize=4)
def _plain(px: int, colour: Colour) -> npt.NDArray[np.uint8]:
    return np.full((px, px, 3), colour, np.uint8)
