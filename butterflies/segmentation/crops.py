"""Views of photographs and their masks, in batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from butterflies.segmentation.augment import augment, pasted
from butterflies.segmentation.pairs import Pair, number_of
from butterflies.segmentation.pasting import take_apart
from butterflies.tracking.batches import ALONE, Order, Share

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


class EpochOrder(Order):
    """Batches of (index, epoch, repeat), which an item of Crops is asked for by."""

    def __init__(
        self, count: int, repeats: int, seed: int, size: int, share: Share = ALONE
    ) -> None:
        super().__init__(np.arange(count), size, seed, share, repeats)

    def shuffled(self, random: np.random.Generator) -> Any:
        index = super().shuffled(random)
        repeat = np.repeat(np.arange(self.repeats), len(self.numbers))
        return np.stack([index, np.full_like(index, self.epoch), repeat], axis=1)


class Batched(Dataset[Sample]):
    """Whole batches of a dataset: an item is asked for by what its samples are asked for."""

    def __init__(self, dataset: Crops | Whole) -> None:
        self.dataset: Any = dataset

    def __getitem__(self, asked: Any) -> Sample:
        return collate([self.dataset[one] for one in asked.tolist()])


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
