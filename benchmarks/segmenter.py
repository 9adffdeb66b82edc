r"""How well a segmenter's masks agree with those drawn by hand, and whether flips pay.

    python train.py experiment=segmenter collection=walk/collection out=segmenter
    python benchmarks/segmenter.py collection=walk/collection segmenter=segmenter/best.ckpt

Masks are cleaned, at working size. With flips, each photograph is predicted as it is, mirrored and
upside down, and the mean of the three counts.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.scores.masks import boundary_f, dice, iou, summarise
from butterflies.segmentation.cleaning import clean
from butterflies.segmentation.data import MaskedPhotographs
from butterflies.segmentation.predict import load_segmenter, predict
from butterflies.segmentation.segmenter import Segmenter

Floats = npt.NDArray[np.floating]

_LEFT_RIGHT, _TOP_BOTTOM = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM


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
        for views, method in (("plain", _plain), ("flips", _flipped)):
            start = time.perf_counter()
            found = [clean(p > 0.5) for p in method(model, [photo for _, photo, _ in pairs])]
            ms = 1e3 * (time.perf_counter() - start) / len(pairs)
            print(f"| {part} | {len(pairs)} | {views} | {_line(found, truth)} | {ms:.0f} |")


def _plain(model: Segmenter, photos: list[Image.Image]) -> list[Floats]:
    return predict(model, photos)


def _flipped(model: Segmenter, photos: list[Image.Image]) -> list[Floats]:
    mirrored = predict(model, [photo.transpose(_LEFT_RIGHT) for photo in photos])
    upturned = predict(model, [photo.transpose(_TOP_BOTTOM) for photo in photos])
    answers = zip(predict(model, photos), mirrored, upturned, strict=True)
    return [(plain + left[:, ::-1] + up[::-1]) / 3 for plain, left, up in answers]


def _line(found: list[Any], truth: list[Any]) -> str:
    pairs = list(zip(found, truth, strict=True))
    overlap = summarise([iou(*pair) for pair in pairs])
    even, edge = (summarise([score(*pair) for pair in pairs]).mean for score in (dice, boundary_f))
    return f"{overlap.mean:.4f} | {overlap.worst:.3f} | {even:.4f} | {edge:.3f}"


if __name__ == "__main__":
    main(sys.argv[1:])
