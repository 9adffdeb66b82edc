"""Speed and test error of `model=autoencoder` beside the article's network, on this machine.

    python benchmarks/autoencoder.py collection=cutouts seconds=60,300,900

Each training ends when so many seconds are over, ours with its learning rate brought down by then,
the article's at its constant one. Time spent on anything but training steps is not counted. L1 is
of test specimens.
"""

import sys
import time
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
}


class Clock(pl.Callback):
    """Counts the seconds of training steps."""

    def __init__(self) -> None:
        self.marks: list[float] = []

    def on_train_batch_end(self, *_: Any) -> None:
        self.marks.append(time.perf_counter())

    def on_train_start(self, *_: Any) -> None:
        self.marks.append(time.perf_counter())

    def speed(self) -> float:
        """Seconds a step, without the first ones."""
        return float(np.median(np.diff(self.marks[WARM_UP_STEPS:])))


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    collection = given["collection"]
    print("| model | parameters | training, pictures/s | encoding, pictures/s |")
    print("|---|---|---|---|")
    steps = {}
    for name in MODELS:
        model, clock = train(name, collection, WARM_UP_STEPS + TIMED_STEPS)
        steps[name] = clock.speed()
        count = sum(p.numel() for p in model.parameters())
        print(f"| {name} | {count:,} | {32 / steps[name]:.1f} | {encoding_speed(model):.0f} |")
    print("\n| seconds | model | pictures seen | seconds taken | test L1 |\n|---|---|---|---|---|")
    for seconds in map(float, given.get("seconds", "60,300").split(",")):
        for name in MODELS:
            count = round(seconds / steps[name])
            model, clock = train(name, collection, count)
            taken = clock.marks[-1] - clock.marks[0]
            shown = [f"{seconds:.0f}", name, f"{32 * count:,}", f"{taken:.0f}"]
            print(f"| {' | '.join(shown)} | {test_error(model, collection):.4f} |", flush=True)


def train(name: str, collection: str, steps: int) -> tuple[Autoencoder, Clock]:
    pl.seed_everything(0, verbose=False)
    clock = Clock()
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
    return model.eval(), clock


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
