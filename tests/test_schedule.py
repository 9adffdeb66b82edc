from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from butterflies.tracking.schedule import one_cycle
from tests.toy import Line, Points


class Cycled(Line):
    """Tells its learning rate at every step."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__(lr)
        self.rates: list[float] = []

    def configure_optimizers(self) -> Any:
        return one_cycle(torch.optim.AdamW(self.parameters(), lr=0.1), self.trainer)

    def on_train_batch_start(self, *_: Any) -> None:
        self.rates.append(self.trainer.optimizers[0].param_groups[0]["lr"])


def trained(tmp_path: Path, start: str | None = None, **end: Any) -> Cycled:
    trainer = pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
        **end,
    )
    model = Cycled()
    trainer.fit(model, Points(), ckpt_path=start, weights_only=True)
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    return model


def test_rates_rise_to_their_peak_and_fall_to_nothing(tmp_path: Path) -> None:
    rates = trained(tmp_path, max_epochs=20).rates
    assert max(rates) == pytest.approx(0.1, rel=0.02)
    assert rates.index(max(rates)) in (5, 6)
    assert rates[-1] < 1e-3 < rates[0]


def test_a_training_that_is_prolonged_steers_for_its_new_end(tmp_path: Path) -> None:
    trained(tmp_path, max_epochs=10)
    longer = trained(tmp_path, str(tmp_path / "end.ckpt"), max_epochs=20)
    whole = trained(tmp_path, max_epochs=20)
    assert longer.rates[1:] == whole.rates[21:]  # the first step still has the rate it ended with


def test_by_the_clock_alone_the_rate_stays(tmp_path: Path) -> None:
    rates = trained(tmp_path, max_epochs=-1, max_time={"seconds": 1}).rates
    assert set(rates) == {0.1}
