"""A collection to annotate, and a segmenter that needs no training."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from butterflies.collection.records import read_records, write_records
from butterflies.segmentation.annotator.store import Store
from tests.specimens import Mask, Pixels, collection, photograph, wings

GENERA = ("Papilio", "Papilio", "Papilio", "Morpho")


class Darkness(torch.nn.Module):
    """Takes for a specimen what is darker than 128; the nearer to that, the less surely."""

    working_px = 96
    device = torch.device("cpu")

    def forward(self, photos: Tensor) -> Tensor:
        return (128 - photos.float().mean(1, keepdim=True)) / 16


@pytest.fixture
def darkness(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The checkpoint of such a segmenter."""
    load = "butterflies.segmentation.predict.load_segmenter"
    monkeypatch.setattr(load, lambda checkpoint: Darkness())
    path = tmp_path / "run" / "best.ckpt"
    path.parent.mkdir()
    path.write_bytes(b"darkness")
    return path


def pictures(count: int) -> dict[str, Pixels]:
    """Specimens of one kind; from `a02` on every third lies on a middle grey background."""
    grounds = (235, 235, 150)
    return {
        f"a{n:02d}": photograph(wings(seed=n), n, background=grounds[n % 3]) for n in range(count)
    }


def unlabelled(folder: Path, count: int = 8, masks: int = 0) -> Path:
    """A collection of several genera, `masks` of whose photographs have a mask."""
    drawn = {f"a{n:02d}": wings(seed=n) for n in range(masks)}
    place = collection(folder, pictures(count), drawn)
    table = read_records(place)
    rows = table.to_pylist()
    for number, row in enumerate(rows):
        row["genus"] = GENERA[number % len(GENERA)]
        row["scientificName"] = f"{row['genus']} {'zyx'[number % 3]}us"
    write_records(place, table.from_pylist(rows, schema=table.schema))
    return place


def store(folder: Path, masks: int = 0) -> Store:
    return Store(unlabelled(folder, masks=masks), "Ada")


def png(mask: Mask, size: tuple[int, int] | None = None) -> bytes:
    """A mask as a canvas gives it: white on transparent, perhaps at another size."""
    pixels = np.zeros((*mask.shape, 4), np.uint8)
    pixels[mask] = 255
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    (image.resize(size) if size else image).save(file, "PNG")
    return file.getvalue()
