r"""How well a segmenter's masks agree with those drawn by hand, and whether flips pay.

    python train.py experiment=segmenter collection=walk/collection out=segmenter
    python benchmarks/segmenter.py collection=walk/collection segmenter=segmenter/best.ckpt

Masks are cleaned, at working size. Flips: see `predict`.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from butterflies.scores.masks import boundary_f, dice, iou, summarise
from butterflies.segmentation.cleaning import clean
from butterflies.segmentation.data import MaskedPhotographs
from butterflies.segmentation.predict import load_segmenter, predict


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    model = load_segmenter(Path(given["segmenter"]))
    photographs = MaskedPhotographs(given["collection"], working_px=model.working_px)
    photographs.setup()
    print("| split | n | views | IoU | worst 5 % | Dice | boundary F, 2 px | ms |")
    print("|---|---|---|---|---|---|---|---|")
    for part in ("train", "validation", "test"):
        pairs = photographs.pairs[part]
        truth = [np.asarray(mask) > 127 for _, _, mask in pairs]
        photos = [photo for _, photo, _ in pairs]
        for views in ("plain", "flips"):
            start = time.perf_counter()
            answers = predict(model, photos, flips=views == "flips")
            found = [clean(answer > 0.5) for answer in answers]
            ms = 1e3 * (time.perf_counter() - start) / len(pairs)
            print(f"| {part} | {len(pairs)} | {views} | {_line(found, truth)} | {ms:.0f} |")


def _line(found: list[Any], truth: list[Any]) -> str:
    pairs = list(zip(found, truth, strict=True))
    overlap = summarise([iou(*pair) for pair in pairs])
    even, edge = (summarise([score(*pair) for pair in pairs]).mean for score in (dice, boundary_f))
    return f"{overlap.mean:.4f} | {overlap.worst:.3f} | {even:.4f} | {edge:.3f}"


if __name__ == "__main__":
    main(sys.argv[1:])
