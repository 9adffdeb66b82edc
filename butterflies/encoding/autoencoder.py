"""A convolutional autoencoder: pictures to latent codes and back."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import functional as F

from butterflies.compute import compile_on_gpu
from butterflies.encoding import losses
from butterflies.encoding.augment import chances, hide, vary
from butterflies.encoding.choice import check, networks, projector
from butterflies.encoding.data import Batch
from butterflies.encoding.dictionary import DictionaryEncoder, start_from_dictionary
from butterflies.encoding.network import start_from_components
from butterflies.tracking.batches import counted
from butterflies.tracking.schedule import one_cycle

SEEN_FIRST = 2048
"""Pictures that the principal components of the start are taken from."""

SHOWN = 12
"""Pictures in the grid of reconstructions."""

NOISE, VIEWS = 1, 2
"""What chances are drawn for, beside data.MIRROR."""


class Autoencoder(pl.LightningModule):
    """Learns a code of few numbers for 128 x 128 pictures on white by reconstructing them.

    Every loss below is a weight, and 0 leaves it out. With `augmentation`, the encoder sees the
    picture a little turned, shifted and relit, and the picture to be reconstructed is the one
    that was not: its code forgets what changes from photograph to photograph. Networks `patches`
    start as a principal component analysis of the first training pictures.

    Args:
        latent_dim: numbers in a code.
        width: of `patches`, channels at 32 x 32; 2 and 4 times as many at 16 x 16 and 8 x 8.
        network: `patches`, fast on a CPU, or `article`, the article's.
        foreground: how much more a pixel of the specimen counts than one of the background.
        hue: how much more a difference in hue counts than one in lightness.
        gradients: differences between neighbouring pixels, see `losses.gradient_loss`.
        beta: KL divergence of a variational code (Higgins et al., 2017).
        warmup: share of the training over which beta grows from 0 (Sønderby et al., 2016).
        augmentation: strength, see `augment.vary`; 0 shows the picture as it is.
        masking: share of the picture hidden from the encoder, see `augment.hide`.
        consistency: codes of two views of a picture should agree.
        decorrelation: the numbers of a code should not say the same.
        variance: no number of a code should vary too little.
        contrast: of all pictures in the batch, another view of this one should be nearest.
        temperature: of the contrast.
        lr: peak learning rate of AdamW under the one-cycle schedule (Smith & Topin, 2018).
        encoder_lr: the encoder's learning rate, times lr; 0 leaves it as it started.
        weight_decay: of AdamW.
        schedule: `one-cycle`, or `constant`.
    """

    def __init__(
        self,
        latent_dim: int = 128,
        width: int = 32,
        network: Literal["patches", "dictionary", "article"] = "patches",
        foreground: float = 1.0,
        hue: float = 0.0,
        gradients: float = 0.0,
        beta: float = 0.0,
        warmup: float = 0.25,
        augmentation: float = 0.0,
        masking: float = 0.0,
        consistency: float = 0.0,
        decorrelation: float = 0.0,
        variance: float = 0.0,
        contrast: float = 0.0,
        temperature: float = 0.2,
        lr: float = 3e-3,
        encoder_lr: float = 1.0,
        weight_decay: float = 1e-2,
        schedule: Literal["one-cycle", "constant"] = "one-cycle",
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.latent_dim = latent_dim
        self.given: Any = self.hparams  # as attributes
        check(self.given)
        self.encoder, self.decoder = networks(network, latent_dim, width, beta > 0)
        self.encoder.requires_grad_(encoder_lr > 0)
        if contrast:
            self.projector = projector(latent_dim)
        self.register_buffer("started", torch.tensor(network == "article"))
        self.to(memory_format=torch.channels_last)

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, 128, 128) on white, 0 to 1, to codes (n, latent_dim)."""
        codes: Tensor = self.encoder(pictures)
        return codes[:, : self.latent_dim]

    def decode(self, codes: Tensor) -> Tensor:
        """Codes (n, latent_dim) to pictures (n, 3, 128, 128) on white, 0 to 1."""
        pictures: Tensor = self.decoder(codes)
        return pictures.clamp(0, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, 128, 128), 0 to 1, to their reconstructions."""
        return self.decode(self.encode(pictures))

    def on_fit_start(self) -> None:
        compile_on_gpu(self.encoder)
        compile_on_gpu(self.decoder)

    def on_train_start(self) -> None:
        """Takes the principal components of the first pictures, once in a model's life."""
        if not self.started:
            learned = isinstance(self.encoder, DictionaryEncoder)
            start = start_from_dictionary if learned else start_from_components
            start(self.encoder, self.decoder, torch.cat(self._first_batches()))
            self.started.fill_(True)  # type: ignore[operator]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        terms = self.terms(batch)
        weights = self.weights()
        loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        told = {f"train/{name}": term.detach() for name, term in terms.items()}
        count = len(batch["picture"])
        self.log("train/loss", loss, batch_size=count, prog_bar=True)
        self.log_dict(told, batch_size=count)
        return loss

    def weights(self) -> dict[str, float]:
        """How much each loss counts at this step."""
        asked = ("gradients", "consistency", "decorrelation", "variance", "contrast")
        return {"pixels": 1.0, "kl": self._beta(), **{name: self.given[name] for name in asked}}

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """The losses with a weight, by name, of a batch as training sees it."""
        h, picture = self.given, batch["picture"]
        views = self._views(batch)
        encoded: Tensor = self.encoder(torch.cat(views))
        codes = encoded[:, : self.latent_dim]
        log_variance = encoded[:, self.latent_dim :]
        first = codes[: len(picture)]
        terms = {}
        if h.beta:
            terms["kl"] = losses.kl_divergence(codes, log_variance)
            first = first + self._noise(batch) * (log_variance[: len(picture)] / 2).exp()
        rebuilt: Tensor = self.decoder(first)
        terms["pixels"] = losses.pixel_loss(rebuilt, picture, batch["alpha"], h.foreground, h.hue)
        if h.gradients:
            terms["gradients"] = losses.gradient_loss(rebuilt, losses.reaching(rebuilt, picture))
        if h.decorrelation:
            terms["decorrelation"] = losses.correlation_loss(codes)
        if h.variance:
            terms["variance"] = losses.variance_loss(codes)
        if h.consistency:
            terms["consistency"] = losses.disagreement(*codes.chunk(2))
        if h.contrast:
            one, other = self.projector(codes).chunk(2)
            terms["contrast"] = losses.contrastive_loss(one, other, h.temperature)
        return terms

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "test")

    def configure_optimizers(self) -> Any:
        h = self.given
        learning = [(n, p) for n, p in self.named_parameters() if p.requires_grad]
        encoder = [p for n, p in learning if n.startswith("encoder.")]
        rest = [p for n, p in learning if not n.startswith("encoder.")]
        groups = [{"params": rest, "lr": h.lr}]
        if encoder:
            groups.append({"params": encoder, "lr": h.lr * h.encoder_lr})
        if h.schedule == "constant":
            return torch.optim.AdamW(groups, lr=h.lr, weight_decay=h.weight_decay)
        quick = (0.9, 0.95)
        optimizer = torch.optim.AdamW(groups, weight_decay=h.weight_decay, betas=quick)
        return one_cycle(optimizer, self.trainer)

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

    def _evaluate(self, batch: Batch, stage: str) -> None:
        picture = batch["picture"]
        rebuilt = self(picture)
        h = self.given
        squared = (rebuilt - picture).square().mean((1, 2, 3)).clamp_min(1e-10)
        values = {
            f"{stage}/loss": losses.pixel_loss(
                rebuilt, picture, batch["alpha"], h.foreground, h.hue
            ),
            f"{stage}/l1": F.l1_loss(rebuilt, picture),
            f"{stage}/psnr": (-10 * squared.log10()).mean(),
        }
        self.log_dict(values, batch_size=counted(len(picture)), sync_dist=True)

    def _views(self, batch: Batch) -> list[Tensor]:
        """What the encoder sees: one view of each picture, or two where codes are compared."""
        h = self.given
        count = 2 if h.consistency or h.contrast else 1
        return [self._view(batch, number) for number in range(count)]

    def _view(self, batch: Batch, number: int) -> Tensor:
        h, picture = self.given, batch["picture"]
        squares = 64 if h.masking else 0
        drawn = self._chances(batch, VIEWS + number, 9 + squares)
        if h.augmentation:
            picture = vary(picture, batch["alpha"], drawn[:, :9], h.augmentation)
        return hide(picture, drawn[:, 9:], h.masking) if h.masking else picture

    def _noise(self, batch: Batch) -> Tensor:
        """Normal numbers (n, latent_dim)."""
        noise: Tensor = torch.special.ndtri(self._chances(batch, NOISE, self.latent_dim))
        return noise

    def _chances(self, batch: Batch, use: int, count: int) -> Tensor:
        """Numbers 0 to 1 (n, count) of the pictures' own in this epoch, others for each use."""
        return chances(batch["key"], self.trainer.current_epoch, use, count)

    def _beta(self) -> float:
        h = self.given
        steps = self.trainer.estimated_stepping_batches * h.warmup if h.warmup else 1
        return float(h.beta * min(1.0, self.global_step / max(1, steps)))

    def _first_batches(self) -> list[Tensor]:
        """The pictures of the first SEEN_FIRST, as training sees them."""
        pictures: list[Tensor] = []
        for batch in self.trainer.train_dataloader:  # type: ignore[union-attr]
            moved = self.trainer.strategy.batch_to_device(batch, self.device)
            pictures.append(moved["picture"])
            if sum(map(len, pictures)) >= SEEN_FIRST:
                break
        return pictures
