"""What happens beside a training: pictures of it."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pytorch_lightning import Callback, LightningModule, Trainer

from butterflies.sheet import write_png
from butterflies.tracking.wandb import log_picture


class ValidationPicture(Callback):
    """Asks the model for one picture of the first batch of each validation.

    The model has a method `picture(batch) -> (name, uint8 (height, width, 3))`; see `show`.
    """

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if batch_idx or trainer.sanity_checking or not trainer.is_global_zero:
            return
        model: Any = pl_module
        show(trainer, *model.picture(batch))


def show(trainer: Trainer, name: str, picture: npt.NDArray[np.uint8]) -> None:
    """Keeps a picture (height, width, 3) of a validation.

    It goes to `<run>/pictures/<name>-<step>.png` and to W&B as `val/<name>`.
    """
    folder = Path(trainer.default_root_dir, "pictures")
    path = folder / f"{name}-{trainer.global_step:06d}.png"
    write_png(path, picture)
    for logger in trainer.loggers:
        log_picture(logger, f"val/{name}", path)
