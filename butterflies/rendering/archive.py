"""All tiles of a map in one file: PMTiles, version 3 (protomaps.com), sorted along Hilbert's curve.

Any reader of PMTiles takes it, by HTTP ranges if need be. The map is no map of the Earth: zoom, x
and y are its own.
"""

import gzip
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pmtiles.tile import (
    Compression,
    Entry,
    TileType,
    deserialize_directory,
    deserialize_header,
    tileid_to_zxy,
    zxy_to_tileid,
)
from pmtiles.writer import finalize_header

from butterflies.errors import UserError
from butterflies.files import writing
from butterflies.rendering.encode import Tile

NAME = "tiles.pmtiles"
TYPES = {"webp": TileType.WEBP, "jpg": TileType.JPEG, "png": TileType.PNG}


def join_tiles(
    version: Path, tiles: Mapping[int, Collection[tuple[int, int]]], suffix: str
) -> None:
    """Puts a site's tile files into one archive and deletes them.

    Args:
        version: folder of the site's version; the tiles lie in `tiles/`.
        tiles: {zoom: {(x, y), ...}}.
        suffix: of the files, with the dot.
    """
    folder, archive = version / "tiles", version / NAME
    files = {
        (z, x, y): folder / str(z) / str(x) / f"{y}{suffix}"
        for z, cells in tiles.items()
        for x, y in cells
    }
    if files and not archive.is_file():
        write_archive(archive, files, {"name": "butterflies"})
    shutil.rmtree(folder, ignore_errors=True)


def write_archive(path: Path, files: Mapping[Tile, Path], about: Mapping[str, Any]) -> None:
    """Joins tiles to one file.

    Args:
        path: of the archive.
        files: the tiles, all of one format; at least one.
        about: told in its metadata.
    """
    ranked = sorted((zxy_to_tileid(*tile), file) for tile, file in files.items())
    entries, offset = [], 0
    for number, file in ranked:
        size = file.stat().st_size
        entries.append(Entry(number, offset, size, 1))
        offset += size
    header = _header(ranked[0][1].suffix[1:])
    count = len(entries)
    head = finalize_header(header, count, entries, count, dict(about), True, offset)
    with writing(path) as temporary, temporary.open("wb") as archive:
        archive.writelines(head)
        for _, file in ranked:
            archive.write(file.read_bytes())


def _header(format: str) -> dict[str, Any]:
    """What stays the same; the whole world as bounds, for readers that think of the Earth."""
    return {
        "version": 3,
        "tile_compression": Compression.NONE,
        "tile_type": TYPES[format],
        "min_lon_e7": -1_800_000_000,
        "min_lat_e7": -850_000_000,
        "max_lon_e7": 1_800_000_000,
        "max_lat_e7": 850_000_000,
        "center_zoom": 0,
        "center_lon_e7": 0,
        "center_lat_e7": 0,
    }


@dataclass(frozen=True)
class Archive:
    """An archive that is read; its directory is read once.

    Attributes:
        path: of the file.
    """

    path: Path

    @cached_property
    def header(self) -> Any:
        return deserialize_header(self._read(0, 127))

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What it tells of itself."""
        packed = self._read(self.header["metadata_offset"], self.header["metadata_length"])
        found: dict[str, Any] = json.loads(gzip.decompress(packed))
        return found

    @cached_property
    def _places(self) -> dict[int, tuple[int, int]]:
        """Offset and length of every tile, by its number on the curve."""
        root = self._read(self.header["root_offset"], self.header["root_length"])
        start = self.header["tile_data_offset"]
        return {
            number: (start + entry.offset, entry.length)
            for entry in self._leaves(deserialize_directory(root))
            for number in range(entry.tile_id, entry.tile_id + entry.run_length)
        }

    def _leaves(self, entries: list[Entry]) -> Iterator[Entry]:
        for entry in entries:
            if entry.run_length:
                yield entry
            else:
                offset = self.header["leaf_directory_offset"] + entry.offset
                yield from self._leaves(deserialize_directory(self._read(offset, entry.length)))

    def tile(self, tile: Tile) -> bytes | None:
        """A tile's file, None when there is none."""
        z, x, y = tile
        if not (0 <= z < 32 and 0 <= x < 2**z and 0 <= y < 2**z):
            return None
        place = self._places.get(zxy_to_tileid(z, x, y))
        return self._read(*place) if place else None

    def tiles(self) -> Iterator[tuple[Tile, bytes]]:
        """All tiles, from the first zoom to the last."""
        for number, place in self._places.items():
            yield tileid_to_zxy(number), self._read(*place)

    def _read(self, offset: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


@lru_cache(maxsize=4)
def _opened(path: Path, mtime_ns: int, size: int) -> Archive:
    archive = Archive(path)
    try:
        _ = archive._places
    except Exception as error:  # whatever a broken file makes the reader stumble over
        raise UserError(
            f"{path} is no readable PMTiles archive ({error}): render the map again."
        ) from None
    return archive


def open_archive(path: Path) -> Archive:
    """An archive; that of the last few files is kept in memory.

    Raises:
        UserError: it cannot be read.
    """
    state = path.stat()
    return _opened(path, state.st_mtime_ns, state.st_size)
