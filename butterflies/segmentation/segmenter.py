"""Training the U-Net: loss, schedule, scores and the picture that shows how it does."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor

from butterflies.compute import compile_on_gpu
from butterflies.errors import UserError
from butterflies.scores.masks import dice, iou, outline
from butterflies.segmentation.cleaning import clean
from butterflies.segmentation.unet import UNet
from butterflies.tracking.batches import counted
from butterflies.tracking.schedule import one_cycle

Mask = npt.NDArray[np.bool_]
Batch = dict[str, Tensor]
"""`photo` uint8 (n, 3, h, w), `mask` uint8 0/1 (n, 1, h, w), `size` int64 (n, 2): height and width
of each photograph, which lies at the top left; the rest is padding."""


class Segmenter(pl.LightningModule):
    """A U-Net that predicts where the specimen is.

    Args:
        depth: see UNet.
        width: see UNet.
        shrink: see UNet.
        working_px: the longer side that larger photographs are scaled down to before the network
            sees them.
        lr: peak learning rate of AdamW under the one-cycle schedule (Smith & Topin, 2018); where
            the trainer has no last step, the rate stays there.
        weight_decay: of AdamW.
        dice_weight: weight of the soft Dice loss (Milletari et al., 2016) beside the binary
            cross-entropy.
    """

    def __init__(
        self,
        depth: int = 5,
        width: int = 16,
        shrink: int = 2,
        working_px: int = 480,
        lr: float = 3e-3,
        weight_decay: float = 1e-2,
        dice_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        for name in ("depth", "width", "shrink", "working_px"):
            if self.hparams[name] < 1:
                raise UserError(f"model.{name} is {self.hparams[name]}: give at least 1.")
        self.working_px = working_px
        self.lr, self.weight_decay, self.dice_weight = lr, weight_decay, dice_weight
        self.net = UNet(depth, width, shrink)

    def forward(self, photos: Tensor) -> Tensor:
        """Photographs uint8 (n, 3, h, w) of any size to foreground logits (n, 1, h, w)."""
        logits: Tensor = self.net(photos.float() / 255)
        return logits.float()

    def on_fit_start(self) -> None:
        compile_on_gpu(self.net)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        batch = self._trimmed(batch)
        loss = self.loss(self(batch["photo"]), batch)
        self.log("train/loss", loss, batch_size=len(batch["photo"]), prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "test")

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Binary cross-entropy plus weighted soft Dice of logits (n, 1, h, w), padding left out."""
        inside = _inside(batch)
        truth = batch["mask"].float()
        entropy = F.binary_cross_entropy_with_logits(logits, truth, weight=inside, reduction="sum")
        probability = torch.sigmoid(logits) * inside
        common = (probability * truth).sum((1, 2, 3))
        total = probability.sum((1, 2, 3)) + truth.sum((1, 2, 3))
        overlap = (2 * common + 1) / (total + 1)
        return entropy / inside.sum() + self.dice_weight * (1 - overlap).mean()

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=self.weight_decay)
        return one_cycle(optimizer, self.trainer)

    @torch.no_grad()
    def picture(self, batch: Batch) -> tuple[str, npt.NDArray[np.uint8]]:
        """A row per photograph, at most four: itself beside itself with the masks laid over it.

        The true outline is white, what was predicted is tinted: green where right, red where not.

        Returns:
            The picture's name and its pixels (height, width, 3).
        """
        batch = {name: values[:4].to(self.device) for name, values in batch.items()}
        logits = self._alone(batch)
        photos = batch["photo"].cpu().numpy().transpose(0, 2, 3, 1)
        found = logits[:, 0].cpu().numpy() > 0
        masks = zip(found, batch["mask"][:, 0].cpu().numpy() > 0, strict=True)
        overlays = [_overlay(photo, *pair) for photo, pair in zip(photos, masks, strict=True)]
        rows = [np.concatenate(pair, axis=1) for pair in zip(photos, overlays, strict=True)]
        return "overlay", np.concatenate(rows)

    def _trimmed(self, batch: Batch) -> Batch:
        """Cuts rows and columns off, so that training meets every amount of padding.

        Trained on crops of one size, the network comes to count on the padding they get.
        """
        random = np.random.default_rng(self.global_step)
        height, width = (
            side - int(random.integers(min(side // 2, self.net.multiple)))
            for side in batch["photo"].shape[-2:]
        )
        size = batch["size"].clamp(max=torch.tensor([height, width], device=batch["size"].device))
        trimmed = {name: batch[name][..., :height, :width] for name in ("photo", "mask")}
        return {**trimmed, "size": size}

    def _alone(self, batch: Batch) -> Tensor:
        """Logits of each photograph on its own, so that padding has no say; 0 on the padding."""
        logits = batch["photo"].new_zeros(batch["mask"].shape, dtype=torch.float32)
        for found, photo, (height, width) in zip(
            logits, batch["photo"], batch["size"].tolist(), strict=True
        ):
            found[:, :height, :width] = self(photo[None, :, :height, :width])[0]
        return logits

    def _evaluate(self, batch: Batch, stage: str) -> None:
        logits = self._alone(batch)
        pairs = list(_masks(logits, batch))
        values: dict[str, Any] = {
            "loss": self.loss(logits, batch),
            "iou": sum(iou(*pair) for pair in pairs) / len(pairs),
            "dice": sum(dice(*pair) for pair in pairs) / len(pairs),
        }
        logged = {f"{stage}/{name}": value for name, value in values.items()}
        self.log_dict(logged, batch_size=counted(len(pairs)), sync_dist=True)


def _inside(batch: Batch) -> Tensor:
    """1.0 on photographs, 0.0 on their padding, (n, 1, h, w)."""
    height, width = batch["photo"].shape[-2:]
    size = batch["size"]
    rows = torch.arange(height, device=size.device) < size[:, :1]
    columns = torch.arange(width, device=size.device) < size[:, 1:]
    return (rows[:, None, :, None] & columns[:, None, None, :]).float()


def _masks(logits: Tensor, batch: Batch) -> Iterator[tuple[Mask, Mask]]:
    """Cleaned and true mask of each photograph, without the padding: what cut-outs are made of."""
    found = (logits[:, 0] > 0).cpu().numpy()
    truth = (batch["mask"][:, 0] > 0).cpu().numpy()
    for predicted, true, (height, width) in zip(found, truth, batch["size"].tolist(), strict=True):
        yield clean(predicted[:height, :width]), true[:height, :width]


def _overlay(photo: npt.NDArray[np.uint8], found: Mask, truth: Mask) -> npt.NDArray[np.uint8]:
    tints = {(60, 200, 90): found & truth, (230, 40, 40): found ^ truth}
    picture = photo.astype(np.float32)
    for colour, where in tints.items():
        picture[where] = picture[where] * 0.6 + np.array(colour, dtype=np.float32) * 0.4
    picture[outline(truth)] = 255
    return picture.astype(np.uint8)
