"""Cut-outs as training data: all in one memory-mapped array, decoded and shrunk once."""

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from butterflies.compute import each
from butterflies.encoding import VERSION
from butterflies.errors import UserError
from butterflies.files import lock, read_json, swap_in, write_json
from butterflies.segmentation.store import CutoutStore

PICTURE_PX = 128

TASK = 4096
"""Pictures that one process decodes at a time; up to so many are decoded in this process."""

Pixels = npt.NDArray[np.uint8]


class PictureCache:
    """The cut-outs of a collection at 128 x 128, in `<collection>/cache/<cutouts>-<fingerprint>/`.

    Made where it is missing, made anew where the cut-outs have changed, deletable at any time.

    Args:
        collection: the collection's folder.
        cutouts: the name of its set of cut-outs.
        workers: processes to make it with, 0 = all cores.

    Attributes:
        store: the cut-outs it was made from.
        ids: the assetIDs of its pictures, sorted.

    Raises:
        UserError: the collection has no such cut-outs, or none that is ok.
    """

    def __init__(self, collection: Path, cutouts: str = "cutouts", workers: int = 0) -> None:
        self.store = CutoutStore(collection, cutouts)
        self.ids: list[str] = list(self.store.ids)
        if not self.ids:
            raise UserError(
                f"{collection} has no cut-out that is ok: `butterflies cutout` tells the reasons."
            )
        mark = f"{self.store.fingerprint}-{VERSION}"
        self.folder = collection / "cache" / f"{cutouts}-{mark}"
        if not self._complete():
            with lock(self.folder):
                _forget(self.folder.parent, cutouts)
                self._make(collection, cutouts, workers)

    @cached_property
    def pictures(self) -> Pixels:
        """uint8 (n, 4, 128, 128), RGBA with straight alpha, in the order of `ids`; read-only."""
        mapped: Pixels = np.load(self.folder / "pictures.npy", mmap_mode="r")
        return mapped

    def _complete(self) -> bool:
        try:
            return bool(read_json(self.folder / "ids.json") == self.ids)
        except (OSError, ValueError):
            return False

    def _make(self, collection: Path, cutouts: str, workers: int) -> None:
        new = self.folder.with_name(f".{self.folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        shape = (len(self.ids), 4, PICTURE_PX, PICTURE_PX)
        np.lib.format.open_memmap(new / "pictures.npy", "w+", np.uint8, shape).flush()
        starts = range(0, len(self.ids), TASK)
        at = collection.absolute()
        tasks = [_Task(at, cutouts, self.ids[s : s + TASK], s, new.absolute()) for s in starts]
        each(_fill, tasks, "Shrinking cut-outs", workers)
        write_json(new / "ids.json", self.ids)
        swap_in(new, self.folder)


def on_white(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Lays pictures on white.

    Args:
        pictures: uint8 (n, 4, 128, 128), RGBA with straight alpha.

    Returns:
        float32 colours (n, 3, 128, 128) and alpha (n, 1, 128, 128), both 0 to 1.
    """
    scaled = pictures.float() / 255
    alpha = scaled[:, 3:]
    return torch.lerp(torch.ones_like(alpha), scaled[:, :3], alpha), alpha


def shrink(picture: Pixels) -> Pixels:
    """A cut-out (h, w, 4) as (4, 128, 128); colours weigh by their alpha, as Pillow does it."""
    size = (PICTURE_PX, PICTURE_PX)
    small = Image.fromarray(picture).resize(size, Image.Resampling.HAMMING)  # never overshoots
    return np.asarray(small).transpose(2, 0, 1)


@dataclass(frozen=True)
class _Task:
    """Pictures that follow each other in the cache: what a process is asked to fill in."""

    collection: Path
    cutouts: str
    ids: list[str]
    start: int
    folder: Path


def _fill(task: _Task) -> None:
    store = CutoutStore(task.collection, task.cutouts)
    pictures: Any = np.load(task.folder / "pictures.npy", mmap_mode="r+")
    for row, asset_id in enumerate(task.ids, task.start):
        pictures[row] = shrink(store.image(asset_id))
    pictures.flush()


def _forget(folder: Path, cutouts: str) -> None:
    """Deletes the caches of earlier cut-outs of this name."""
    for old in folder.glob(f"{cutouts}-*"):
        if old.name.rsplit("-", 2)[0] == cutouts:
            shutil.rmtree(old, ignore_errors=True)
