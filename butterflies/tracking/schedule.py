"""How fast a training learns from its first step to its last."""

import math
from typing import Any

import pytorch_lightning as pl
import torch
from torch.optim.lr_scheduler import OneCycleLR

RISE = 0.15
"""Share of the steps over which the learning rate rises; over the others it falls."""


class OneCycle(OneCycleLR):
    """Lightning goes on from a checkpoint with the steps of this training, were they more."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        own = {name: getattr(self, name) for name in ("total_steps", "_schedule_phases")}
        super().load_state_dict({**state_dict, **own})


def one_cycle(optimizer: torch.optim.Optimizer, trainer: pl.Trainer) -> Any:
    """The one-cycle schedule (Smith & Topin, 2018), for `configure_optimizers` to return.

    The optimizer's learning rates are the peaks. A training by the clock alone has no end to steer
    for: its rates stay as they are.
    """
    steps = trainer.estimated_stepping_batches
    if not math.isfinite(steps):
        return optimizer
    peaks = [group["lr"] for group in optimizer.param_groups]
    schedule = OneCycle(optimizer, peaks, total_steps=max(2, int(steps)), pct_start=RISE)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
