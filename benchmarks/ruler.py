r"""How often a ruler's scale is found, and how often it is wrong, against labels by eye.

    python benchmarks/ruler.py photos=$MUSEUM/photos masks=$MUSEUM/masks \
        records=$MUSEUM/records.csv labels=benchmarks/ruler_labels.csv

The labels: assetID, mm_per_px (read off the longest run of numbered ticks that can be read, to
about 0.5 %; blank where there is no millimetre ruler). `records.csv` tells which photographs show
specimens of the test split; a photograph without a mask is given an empty one.

Wrong = more than 3 % off. Milliseconds are processor time a photograph.
"""

import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from labelled import labelled

from butterflies.collection.photos import load_mask, open_photo
from butterflies.segmentation.ruler import find_scale

Floats = npt.NDArray[np.float64]

_WRONG = 0.03


def main(words: list[str]) -> None:
    given = {key: Path(value) for key, value in (word.split("=", 1) for word in words)}
    labels, test = labelled(given)
    found = np.array([_judged(given["photos"], given["masks"], label) for label in labels])
    names = [label["assetID"] for label in labels]
    print("| specimens | rulers | found | missed | wrong | others | false | median error | ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(f"| test split | {_line(found[test])} |")
    print(f"| all | {_line(found)} |")
    print("\n| missed, wrong or false | label | found | confidence |")
    print("|---|---|---|---|")
    for name, (wanted, scale, confidence, _ms) in zip(names, found, strict=True):
        if np.isnan(wanted) != np.isnan(scale) or abs(scale / wanted - 1) > _WRONG:
            print(f"| {name} | {wanted:.4f} | {scale:.4f} | {confidence:.2f} |")


def _judged(photos: Path, masks: Path, label: dict[str, str]) -> list[float]:
    """Label and scale (nan for none), confidence, milliseconds."""
    photo = open_photo(next(photos.glob(f"{label['assetID']}.*"))).convert("RGB")
    path = masks / f"{label['assetID']}.png"
    mask = load_mask(path, photo.size) if path.exists() else np.zeros(photo.size[::-1], bool)
    start = time.process_time()
    found = find_scale(np.asarray(photo), np.asarray(mask) > 0)
    spent = 1000 * (time.process_time() - start)
    wanted = float(label["mm_per_px"] or np.nan)
    return (
        [wanted, found.mm_per_px, found.confidence, spent] if found else [wanted, np.nan, 0, spent]
    )


def _line(found: Floats) -> str:
    wanted, scale, _confidence, spent = found.T
    ruler, told = ~np.isnan(wanted), ~np.isnan(scale)
    error = np.abs(scale / wanted - 1)[ruler & told]
    wrong = np.count_nonzero(error > _WRONG)
    shown = [ruler.sum(), len(error) - wrong, np.count_nonzero(ruler & ~told), wrong]
    shown += [np.count_nonzero(~ruler), np.count_nonzero(~ruler & told)]
    return " | ".join([*map(str, shown), f"{np.median(error):.2%}", f"{np.median(spent):.0f}"])


if __name__ == "__main__":
    main(sys.argv[1:])
