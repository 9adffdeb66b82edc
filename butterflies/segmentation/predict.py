"""From a photograph to the probability of specimen at each of its pixels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from butterflies.compute import bf16_is_fast, fastest_device
from butterflies.errors import UserError
from butterflies.segmentation.segmenter import Segmenter
from butterflies.segmentation.working import working_size

Probability = npt.NDArray[np.float32]

_LEFT_RIGHT, _TOP_BOTTOM = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM


def load_segmenter(checkpoint: Path) -> Segmenter:
    """The segmenter of a checkpoint, ready to predict: on a GPU, if there is one.

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
    return model.eval().to(fastest_device())


def predict(
    model: Segmenter, photos: Sequence[Image.Image], batch_size: int = 8, flips: bool = False
) -> list[Probability]:
    """Probability of specimen, 0 to 1, at the model's working size.

    Photographs of one working size go through the network together.

    Args:
        model: in evaluation mode.
        photos: RGB, any size.
        batch_size: how many at once at most.
        flips: the mean of what is predicted as it is, mirrored, and upside down.

    Returns:
        A (height, width) array of `working_size` per photograph, in their order.
    """
    plain = _predicted(model, photos, batch_size)
    if not flips:
        return plain
    mirrored = _predicted(model, [photo.transpose(_LEFT_RIGHT) for photo in photos], batch_size)
    upturned = _predicted(model, [photo.transpose(_TOP_BOTTOM) for photo in photos], batch_size)
    views = zip(plain, mirrored, upturned, strict=True)
    return [(one + left[:, ::-1] + up[::-1]) / np.float32(3) for one, left, up in views]


@torch.inference_mode()
def _predicted(
    model: Segmenter, photos: Sequence[Image.Image], batch_size: int
) -> list[Probability]:
    sizes = [working_size(photo.size, model.working_px) for photo in photos]
    found: dict[int, Probability] = {}
    for size in sorted(set(sizes)):
        same = [i for i, other in enumerate(sizes) if other == size]
        for start in range(0, len(same), batch_size):
            chosen = same[start : start + batch_size]
            small = [np.asarray(photos[i].resize(size, Image.Resampling.BOX)) for i in chosen]
            pixels = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2)
            device = model.device.type
            with torch.autocast(device, torch.bfloat16, enabled=bf16_is_fast(device)):
                logits = model(pixels.to(model.device))
            answers = torch.sigmoid(logits).cpu().numpy()[:, 0]
            found |= dict(zip(chosen, answers, strict=True))
    return [found[i] for i in range(len(photos))]
