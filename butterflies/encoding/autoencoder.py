"""A convolutional autoencoder: pictures to latent codes and back."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import functional as F

from butterflies.encoding.data import Batch
from butterflies.encoding.network import Decoder, Encoder, start_from_components
from butterflies.errors import UserError

SEEN_FIRST = 2048
"""Pictures that the principal components of the start are taken from."""

SHOWN = 12
"""Pictures in the grid of reconstructions."""


class Autoencoder(pl.LightningModule):
    """Learns a code of few numbers for 128 x 128 pictures on white by reconstructing them.

    It starts as a principal component analysis of the first training pictures, so that every step
    improves on one. Loss: mean absolute error, in which the specimen can count for more than the
    background around it.

    Args:
        latent_dim: numbers in a code.
        width: channels at 32 x 32; 2 and 4 times as many at 16 x 16 and 8 x 8.
        foreground: how much more a pixel of the specimen counts than one of the background.
        lr: peak learning rate of AdamW under the one-cycle schedule (Smith & Topin, 2018).
        weight_decay: of AdamW.
    """

    def __init__(
        self,
        latent_dim: int = 128,
        width: int = 32,
        foreground: float = 1.0,
        lr: float = 3e-3,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        for name, value in (("latent_dim", latent_dim), ("width", width)):
            if value < 1:
                raise UserError(f"model.{name} is {value}: give at least 1.")
        self.latent_dim, self.foreground = latent_dim, foreground
        self.lr, self.weight_decay = lr, weight_decay
        self.encoder = Encoder(latent_dim, width)
        self.decoder = Decoder(latent_dim, width)
        self.register_buffer("started", torch.tensor(False))
        self.to(memory_format=torch.channels_last)

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, 128, 128) on white, 0 to 1, to codes (n, latent_dim)."""
        darkness = (1 - pictures).contiguous(memory_format=torch.channels_last)
        codes: Tensor = self.encoder(darkness)
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """Codes (n, latent_dim) to pictures (n, 3, 128, 128) on white, 0 to 1."""
        return self._decode(codes).clamp(0, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, 128, 128), 0 to 1, to their reconstructions."""
        return self.decode(self.encode(pictures))

    def loss(self, reconstructed: Tensor, batch: Batch) -> Tensor:
        """Mean absolute error; what lies beyond black or white counts as black or white there."""
        picture = batch["picture"]
        target = torch.where(picture >= 1, torch.maximum(picture, reconstructed), picture)
        target = torch.where(picture <= 0, torch.minimum(picture, reconstructed), target)
        weight = 1 + self.foreground * batch["alpha"]
        return ((reconstructed - target).abs() * weight).mean() / weight.mean()

    def on_train_start(self) -> None:
        """Takes the principal components of the first pictures, once in a model's life."""
        if not self.started:
            batches = self._first_batches()
            start_from_components(self.encoder, self.decoder, 1 - torch.cat(batches))
            self.started.fill_(True)  # type: ignore[operator]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.loss(self._decode(self.encode(batch["picture"])), batch)
        self.log("train/loss", loss, batch_size=len(batch["picture"]), prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "test")

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.lr, weight_decay=self.weight_decay, betas=(0.9, 0.95)
        )
        steps = self.trainer.estimated_stepping_batches
        if not math.isfinite(steps):
            raise UserError("A training needs an end: give trainer.max_epochs or max_steps.")
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.lr, total_steps=max(2, int(steps)), pct_start=0.15
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    @torch.no_grad()
    def picture(self, batch: Batch) -> tuple[str, npt.NDArray[np.uint8]]:
        """Up to 12 pictures, beneath each its reconstruction.

        Returns:
            The grid's name and its pixels (height, width, 3).
        """
        shown = batch["picture"][:SHOWN].to(self.device)
        rows = [torch.cat(list(pictures), dim=2) for pictures in (shown, self(shown))]
        grid = torch.cat(rows, dim=1).permute(1, 2, 0)
        pixels: npt.NDArray[np.uint8] = (grid * 255).round().byte().cpu().numpy()
        return "reconstruction", pixels

    def _decode(self, codes: Tensor) -> Tensor:
        darkness: Tensor = self.decoder(codes)
        return 1 - darkness

    def _evaluate(self, batch: Batch, stage: str) -> None:
        reconstructed = self._decode(self.encode(batch["picture"]))
        values = {
            f"{stage}/loss": self.loss(reconstructed, batch),
            f"{stage}/l1": F.l1_loss(reconstructed.clamp(0, 1), batch["picture"]),
        }
        self.log_dict(values, batch_size=len(batch["picture"]), sync_dist=True)

    def _first_batches(self) -> list[Tensor]:
        """The pictures of the first SEEN_FIRST, as training sees them."""
        pictures: list[Tensor] = []
        for batch in self.trainer.train_dataloader:  # type: ignore[union-attr]
            moved = self.trainer.strategy.batch_to_device(batch, self.device)
            pictures.append(moved["picture"])
            if sum(map(len, pictures)) >= SEEN_FIRST:
                break
        return pictures
