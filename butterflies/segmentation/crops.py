"""Views of photographs and their masks, in batches."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from butterflies.segmentation.augment import augment, pasted
from butterflies.segmentation.pairs import Pair, number_of
from butterflies.segmentation.pasting import take_apart

Sample = dict[str, Tensor]


class Crops(Dataset[Sample]):
    """Random views of photographs; an item is asked for as (index, epoch, repeat)."""

    def __init__(
        self,
        pairs: list[Pair],
        crop_px: int,
        paste: float = 0.0,
        backdrops: Sequence[Image.Image] = (),
        seed: int = 0,
    ) -> None:
        self.pairs, self.crop_px, self.paste, self.seed = pairs, crop_px, paste, seed
        self.layers = [take_apart(photo, mask) for _, photo, mask in pairs] if paste else []
        self.grounds = [*(layers.ground for layers in self.layers), *backdrops]

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, asked: tuple[int, int, int]) -> Sample:
        index, *when = asked
        asset_id, photo, mask = self.pairs[index]
        random = np.random.default_rng([self.seed, *when, number_of(asset_id)])
        if random.random() < self.paste:
            ground = self.grounds[random.integers(len(self.grounds))]
            return _sample(*pasted(self.layers[index], ground, self.crop_px, random))
        return _sample(*augment(photo, mask, self.crop_px, random))


class Whole(Dataset[Sample]):
    """Photographs as they are, for validation and test."""

    def __init__(self, pairs: list[Pair]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        _, photo, mask = self.pairs[index]
        return _sample(np.array(photo), (np.asarray(mask) > 127).astype(np.uint8))


class EpochOrder(Sampler[tuple[int, int, int]]):
    """(index, epoch, repeat) in an order of the epoch's own; Lightning calls `set_epoch`."""

    def __init__(self, count: int, repeats: int, seed: int) -> None:
        self.count, self.repeats, self.seed, self.epoch = count, repeats, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count * self.repeats

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        order = np.random.default_rng([self.seed, self.epoch])
        for repeat in range(self.repeats):
            for index in order.permutation(self.count).tolist():
                yield index, self.epoch, repeat


def collate(samples: list[Sample]) -> Sample:
    """A batch as `segmenter.Batch` describes it: smaller pictures are padded at right and below."""
    sizes = torch.stack([sample["size"] for sample in samples])
    height, width = sizes.amax(0).tolist()
    batch: Sample = {"size": sizes}
    for name in ("photo", "mask"):
        batch[name] = torch.stack([_padded(sample[name], height, width) for sample in samples])
    return batch


def _padded(pixels: Tensor, height: int, width: int) -> Tensor:
    return F.pad(pixels, (0, width - pixels.shape[2], 0, height - pixels.shape[1]))


def _sample(photo: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> Sample:
    return {
        "photo": torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1))),
        "mask": torch.from_numpy(mask[None]),
        "size": torch.tensor(mask.shape),
    }
