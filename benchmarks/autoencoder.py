"""Speed and test error of our autoencoders beside the article's network, on this machine.

    python benchmarks/autoencoder.py collection=cutouts seconds=60,300,900

A training of ours ends when so many seconds are over, its learning rate brought down by then; the
article's goes on at its constant one and is asked on the way. Seconds are those of training steps
and of the start (components, dictionary). L1 is of test specimens.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.codes import encode
from butterflies.encoding.data import Cutouts
from butterflies.tracking.trainer import Quiet

WARM_UP_STEPS, TIMED_STEPS = 3, 12

MODELS: dict[str, dict[str, Any]] = {
    "article": {
        "network": "article",
        "foreground": 0.0,
        "lr": 5e-5,
        "weight_decay": 0.0,
        "schedule": "constant",
    },
    "autoencoder": {},
    "dictionary": {"network": "dictionary", "encoder_lr": 0.0},
}


class Clock(pl.Callback):
    """Counts the seconds of training steps, and asks for the test error after some of them."""

    def __init__(self, asked: Sequence[int] = (), collection: str = "") -> None:
        self.steps: list[float] = []
        self.asked, self.collection = asked, collection
        self.errors: list[float] = []
        self.since = 0.0

    def on_train_start(self, *_: Any) -> None:
        self.since = time.perf_counter()

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *_: Any) -> None:
        self.steps.append(time.perf_counter() - self.since)
        if trainer.global_step in self.asked:
            self.errors.append(test_error(module.eval(), self.collection))
            module.train()
        self.since = time.perf_counter()

    def speed(self) -> float:
        """Seconds a step, without the first ones."""
        return float(np.median(self.steps[WARM_UP_STEPS:]))


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    collection = given["collection"]
    names = given.get("models", ",".join(MODELS)).split(",")
    print("| model | parameters | training, pictures/s | encoding, pictures/s |")
    print("|---|---|---|---|")
    starts, speeds = {}, {}
    for name in names:
        clock = Clock()
        model = train(name, collection, WARM_UP_STEPS + TIMED_STEPS, clock)
        starts[name], speeds[name] = clock.steps[0], clock.speed()
        count = sum(p.numel() for p in model.parameters())
        print(f"| {name} | {count:,} | {32 / speeds[name]:.1f} | {encoding_speed(model):.0f} |")
    print("\n| model | seconds | pictures seen | test L1 |\n|---|---|---|---|")
    seconds = [float(word) for word in given.get("seconds", "60,300,900").split(",")]
    for name in names:
        counts = [round((number - starts[name]) / speeds[name]) for number in seconds]
        constant = MODELS[name].get("schedule") == "constant"
        for group in [counts] if constant else [[count] for count in counts]:
            clock = Clock(group, collection)
            train(name, collection, group[-1], clock)
            for count, error in zip(group, clock.errors, strict=True):
                taken = sum(clock.steps[:count])
                shown = [name, f"{taken:.0f}", f"{32 * count:,}"]
                print(f"| {' | '.join(shown)} | {error:.4f} |", flush=True)


def train(name: str, collection: str, steps: int, clock: Clock) -> Autoencoder:
    pl.seed_everything(0, verbose=False)
    with Quiet():
        trainer = pl.Trainer(
            max_steps=steps,
            max_epochs=-1,
            callbacks=[clock],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
            gradient_clip_val=1.0,
        )
        model = Autoencoder(**MODELS[name])
        trainer.fit(model, Cutouts(collection))
    return model.eval()


def encoding_speed(model: Autoencoder) -> float:
    """Pictures a second through the encoder, in batches of 256."""
    pictures = torch.rand(256, 3, 128, 128, device=model.device)
    times = []
    with torch.no_grad():
        for _ in range(5):
            start = time.perf_counter()
            model.encode(pictures).cpu()
            times.append(time.perf_counter() - start)
    return len(pictures) / float(np.median(times))


def test_error(model: Autoencoder, collection: str) -> float:
    data = Cutouts(collection)
    data.setup()
    if data.cache is None:
        raise RuntimeError("setup() makes the cache.")
    asked = set(data.parts["test"])
    rows = np.flatnonzero([asset_id in asked for asset_id in data.cache.ids])
    return float(encode(model, np.asarray(data.cache.pictures), rows)[1].mean())


if __name__ == "__main__":
    main(sys.argv[1:])
