r"""Does training wait for its data? Views a second, and the share of time spent waiting.

    python benchmarks/loader.py collection=walk/collection steps=60

The segmenter trains as `experiment=segmenter` does, with so many processes that prepare views.
"""

import itertools
import sys
import time

import torch

from butterflies.compute import bf16_is_fast
from butterflies.segmentation.data import MaskedPhotographs
from butterflies.segmentation.segmenter import Segmenter


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    steps = int(given.get("steps", 60))
    print("| processes | views a second | waiting for data |\n|---|---|---|")
    for workers in (0, 1, 2):
        rate, waited = _trained(given["collection"], workers, steps)
        print(f"| {workers} | {rate:.1f} | {waited:.1%} |", flush=True)


def _trained(collection: str, workers: int, steps: int) -> tuple[float, float]:
    """Views a second, and the part of the time in which the model waited."""
    photographs = MaskedPhotographs(collection, workers=workers)
    photographs.setup()
    model, device = Segmenter(), "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device)
    adam = torch.optim.AdamW(model.parameters())
    loader = photographs.train_dataloader()
    batches = itertools.chain.from_iterable(itertools.repeat(loader))
    waited, begun = 0.0, 0.0
    for step in range(steps + 3):
        if step == 3:  # the first ones fill the queue and choose the kernels
            begun, waited = time.perf_counter(), 0.0
        start = time.perf_counter()
        batch = {name: values.to(device) for name, values in next(batches).items()}
        waited += time.perf_counter() - start
        with torch.autocast(device, torch.bfloat16, enabled=bf16_is_fast(device)):
            logits = model(batch["photo"])
        adam.zero_grad()
        torch.autograd.backward(model.loss(logits, batch))
        adam.step()
    spent = time.perf_counter() - begun
    return steps * photographs.batch_size / spent, waited / spent


if __name__ == "__main__":
    main(sys.argv[1:])
