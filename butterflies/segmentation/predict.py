"""From a photograph to the probability of specimen at each of its pixels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from butterflies.errors import UserError
from butterflies.segmentation.segmenter import Segmenter

Probability = npt.NDArray[np.float32]


def working_size(size: tuple[int, int], working_px: int) -> tuple[int, int]:
    """Width and height of a photograph whose longer side is at most `working_px`; never larger.

    >>> working_size((4000, 3000), 480), working_size((300, 200), 480)
    ((480, 360), (300, 200))
    """
    factor = min(1.0, working_px / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def load_segmenter(checkpoint: Path) -> Segmenter:
    """The segmenter of a checkpoint, ready to predict on the CPU.

    Raises:
        UserError: there is no such file, or it is no segmenter's checkpoint.
    """
    if not checkpoint.is_file():
        raise UserError(f"There is no checkpoint {checkpoint}: `butterflies train` makes one.")
    try:
        model = Segmenter.load_from_checkpoint(checkpoint, map_location="cpu", weights_only=True)
    except Exception:  # torch and pickle fail on a foreign file in many ways
        raise UserError(
            f"{checkpoint} holds no segmenter: give segmenter= the best.ckpt of a run of "
            "`python train.py experiment=segmenter`, or contrast, or alpha."
        ) from None
    return model.eval()


@torch.inference_mode()
def predict(
    model: Segmenter, photos: Sequence[Image.Image], batch_size: int = 8
) -> list[Probability]:
    """Probability of specimen, 0 to 1, at the model's working size.

    Photographs of one working size go through the network together.

    Args:
        model: in evaluation mode.
        photos: RGB, any size.
        batch_size: how many at once at most.

    Returns:
        A (height, width) array of `working_size` per photograph, in their order.
    """
    sizes = [working_size(photo.size, model.working_px) for photo in photos]
    found: dict[int, Probability] = {}
    for size in sorted(set(sizes)):
        same = [i for i, other in enumerate(sizes) if other == size]
        for start in range(0, len(same), batch_size):
            chosen = same[start : start + batch_size]
            small = [np.asarray(photos[i].resize(size, Image.Resampling.BOX)) for i in chosen]
            pixels = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2)
            answers = torch.sigmoid(model(pixels.to(model.device))).cpu().numpy()[:, 0]
            found |= dict(zip(chosen, answers, strict=True))
    return [found[i] for i in range(len(photos))]
