"""What happens beside a training: pictures of it."""

from pathlib import Path
from typing import Any

from PIL import Image
from pytorch_lightning import Callback, LightningModule, Trainer

from butterflies.files import writing
from butterflies.tracking.wandb import log_picture


class ValidationPicture(Callback):
    """Asks the model for one picture of the first batch of each validation.

    The model has a method `picture(batch) -> (name, uint8 (height, width, 3))`. The picture goes
    to `<run>/pictures/<name>-<step>.png` and to W&B as `val/<name>`.
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
        name, picture = model.picture(batch)
        self._save(trainer, name, picture)
        for logger in trainer.loggers:
            log_picture(logger, f"val/{name}", picture)

    def _save(self, trainer: Trainer, name: str, picture: Any) -> None:
        path = Path(trainer.default_root_dir, "pictures", f"{name}-{trainer.global_step:06d}.png")
        with writing(path) as temporary:
            Image.fromarray(picture).save(temporary, format="PNG")
