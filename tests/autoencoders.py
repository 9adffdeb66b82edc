"""What tests of autoencoders share: batches, trainings and their errors."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.cache import on_white


def batch_of(pictures: list[Any]) -> dict[str, Tensor]:
    pixels = torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2))
    picture, alpha = on_white(pixels)
    return {"picture": picture, "alpha": alpha, "key": torch.arange(len(pictures))}


def train(
    model: Autoencoder, batch: dict[str, Tensor], epochs: int, *callbacks: pl.Callback
) -> pl.Trainer:
    pl.seed_everything(0, verbose=False)
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        check_val_every_n_epoch=max(1, epochs),
        log_every_n_steps=1,
        callbacks=list(callbacks),
    )
    batches: DataLoader[Any] = DataLoader([batch], batch_size=None)  # type: ignore[arg-type]
    trainer.fit(model, batches, batches)
    return trainer


def error(model: Autoencoder, batch: dict[str, Tensor]) -> float:
    with torch.no_grad():
        return float((model.eval()(batch["picture"]) - batch["picture"]).abs().mean())


def random_autoencoder(path: Path, seed: int = 0) -> Path:
    """The checkpoint of an untrained autoencoder whose codes, of 6 numbers, differ."""
    torch.manual_seed(seed)
    model = Autoencoder(latent_dim=6, width=4)
    torch.nn.init.normal_(model.encoder.components.weight, std=0.1)
    state = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}
    torch.save({**state, "pytorch-lightning_version": version("pytorch-lightning")}, path)
    return path
