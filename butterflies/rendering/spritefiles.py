"""Every specimen's sprite at one size, made once and kept in files until the tiles are drawn.

<folder>/00000.lz4   the sprites of PART specimens one after the other, each compressed alone
<folder>/00000.npy   their rows (ROW), written last
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from butterflies import compute
from butterflies.files import writing
from butterflies.rendering.sprites import (
    Bytes,
    Shadow,
    Sprite,
    diameter,
    picture,
    room,
    sprite,
)
from butterflies.segmentation.pictures import decode
from butterflies.segmentation.store import CutoutStore, StoredPictures

PART = 256
"""Sprites to a file."""

ROW = np.dtype(
    [
        *(("file", "<i4"), ("offset", "<i8"), ("bytes", "<i4")),
        *(("part", "<i4"), ("row", "<i4"), ("room", "<f8"), ("mark", "<u8")),
    ]
)
"""Where a sprite lies (`bytes` is 0 where none is kept), where its cut-out lies among the stored
ones, the diameter kept free for it, in px, and a hash of its cut-out's file."""

Rows = npt.NDArray[np.void]
Known = Mapping[str, tuple[int, float]]
"""assetID -> mark and room of specimens whose sprites an earlier rendering has seen."""


@dataclass(frozen=True)
class Sprites:
    """Sprites that can be read; small enough to be sent to other processes.

    Attributes:
        folder: of the files.
        cutouts: the stored cut-outs.
        px: width of a picture.
        shadow: of each.
        rows: (n,) of ROW; a specimen's number is its place here.
    """

    folder: Path
    cutouts: StoredPictures
    px: int
    shadow: Shadow
    rows: Rows

    def take(self, numbers: npt.NDArray[np.int64]) -> "Sprites":
        """Some of them, numbered anew from 0."""
        return replace(self, rows=self.rows[numbers])

    @property
    def rooms(self) -> npt.NDArray[np.float64]:
        """(n,) diameters kept free, in px."""
        return np.asarray(self.rows["room"])

    def read(self, number: int) -> Sprite:
        """The sprite of a specimen; made from its cut-out where none is kept."""
        row = self.rows[number]
        if not row["bytes"]:
            return sprite(picture(self.cutout(number), self.px), float(row["room"]), self.shadow)
        with _file(self.folder, int(row["file"])).open("rb") as file:
            file.seek(int(row["offset"]))
            data = file.read(int(row["bytes"]))
        return _unpacked(data, self.px, self.shadow.side(self.px))

    def cutout(self, number: int) -> Bytes:
        """The stored cut-out of a specimen (h, w, 4), straight alpha."""
        row = self.rows[number]
        return decode(self.cutouts.data(int(row["part"]), int(row["row"])))


@dataclass(frozen=True)
class SpriteFiles:
    """The files, and how they are made.

    Attributes:
        folder: of the files.
        store: the cut-outs.
        ids: assetIDs; a specimen's number is its place in this sequence.
        px: width of a picture.
        shadow: of each.
        known: specimens for which no sprite is kept, since few of them will be drawn.
    """

    folder: Path
    store: CutoutStore
    ids: Sequence[str]
    px: int
    shadow: Shadow = field(default_factory=Shadow)
    known: Known = field(default_factory=dict)

    def make(self, workers: int = 0) -> Sprites:
        """Makes what is not there yet."""
        starts = range(0, len(self.ids), PART)
        tasks = [self._task(number, start) for number, start in enumerate(starts)]
        rows = compute.each(_make_part, tasks, "sprites", workers)
        whole = np.concatenate([np.zeros(0, ROW), *rows])
        return Sprites(self.folder, self._cutouts, self.px, self.shadow, whole)

    @property
    def _cutouts(self) -> StoredPictures:
        return StoredPictures(self.store.folder.absolute())

    def _task(self, number: int, start: int) -> "_Task":
        ids = self.ids[start : start + PART]
        places = [self.store.place(asset_id) for asset_id in ids]
        known = [self.known.get(asset_id) for asset_id in ids]
        return _Task(self.folder, self._cutouts, self.px, self.shadow, number, places, known)


@dataclass(frozen=True)
class _Task:
    """The sprites of one file."""

    folder: Path
    cutouts: StoredPictures
    px: int
    shadow: Shadow
    number: int
    places: Sequence[tuple[int, int]]
    known: Sequence[tuple[int, float] | None]

    @cached_property
    def done(self) -> Path:
        return _file(self.folder, self.number).with_suffix(".npy")


def _make_part(task: _Task) -> Rows:
    if not task.done.is_file():
        rows = np.zeros(len(task.places), ROW)
        rows["file"] = task.number
        with writing(_file(task.folder, task.number)) as temporary, temporary.open("wb") as file:
            for index in range(len(rows)):
                rows[index : index + 1] = _made(task, index, rows[index].copy(), file)
        with writing(task.done) as temporary, temporary.open("wb") as file:
            np.save(file, rows)
    return np.asarray(np.load(task.done))


def _made(task: _Task, index: int, row: Any, file: Any) -> Any:
    """The row of a sprite, which is added to the file unless it is known."""
    row["part"], row["row"] = task.places[index]
    data = task.cutouts.data(*task.places[index])
    row["mark"] = int.from_bytes(hashlib.sha256(data).digest()[:8], "little")
    known = task.known[index]
    if known and known[0] == row["mark"]:
        row["room"] = known[1]
        return row
    made = picture(decode(data), task.px)
    row["room"] = room(diameter(made), task.px)
    packed = _packed(sprite(made, float(row["room"]), task.shadow))
    row["offset"], row["bytes"] = file.tell(), len(packed)
    file.write(packed)
    return row


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.lz4"


def _packed(made: Sprite) -> bytes:
    data: bytes = pa.compress(
        made.picture.tobytes() + made.shadow.tobytes(), codec="lz4", asbytes=True
    )
    return data


def _unpacked(data: bytes, px: int, side: int) -> Sprite:
    cut = 4 * px * px
    both = np.frombuffer(pa.decompress(data, cut + side * side, codec="lz4"), np.uint8)
    return Sprite(both[:cut].reshape(px, px, 4), both[cut:].reshape(side, side))
