r"""How well specimens are brought upright and missing wings are noticed, against labels by eye.

    python benchmarks/orientation.py photos=$MUSEUM/photos masks=$MUSEUM/masks \
        records=$MUSEUM/records.csv labels=benchmarks/orientation_labels.csv

The labels: assetID, rotation (degrees counter-clockwise that bring it upright), damaged (1 if a
wing or a large part of one is missing, else 0). `records.csv` tells which photographs show
specimens of the test split.

Right = within 30 degrees of the label, so not a quarter turn off. AUC of damage = how often a
damaged specimen scores higher than a whole one. Milliseconds are processor time a specimen.
"""

import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from labelled import labelled
from PIL import Image
from sklearn.metrics import roc_auc_score

from butterflies.collection.photos import load_mask, open_photo
from butterflies.segmentation.orientation import orientation

Floats = npt.NDArray[np.float64]

_LARGEST_PX = 256  # the size at which a mask is found


def main(words: list[str]) -> None:
    given = {key: Path(value) for key, value in (word.split("=", 1) for word in words)}
    labels, test = labelled(given)
    found = np.array([_judged(given["photos"], given["masks"], label) for label in labels])
    names = [label["assetID"] for label in labels]
    print("| specimens | n | turned | damaged | median error | right | AUC of damage | ms |")
    print("|---|---|---|---|---|---|---|---|")
    print(f"| test split | {_line(found[test])} |")
    print(f"| all | {_line(found)} |")
    print("\n| not right, or among the least certain | label | found | confidence | damage |")
    print("|---|---|---|---|---|")
    for k in np.lexsort((found[:, 3], found[:, 4] <= 30))[:8]:
        label, turn, _damaged, confidence, _error, damage, _ms = found[k]
        print(f"| {names[k]} | {label:.0f} | {turn:.1f} | {confidence:.2f} | {damage:.2f} |")


def _judged(photos: Path, masks: Path, label: dict[str, str]) -> list[float]:
    """Label, rotation, damaged, confidence, error in degrees, damage, milliseconds."""
    photo = open_photo(next(photos.glob(f"{label['assetID']}.*"))).convert("RGB")
    mask = Image.fromarray(load_mask(masks / f"{label['assetID']}.png", photo.size))
    photo.thumbnail((_LARGEST_PX, _LARGEST_PX))
    picture, small = np.asarray(photo), np.asarray(mask.resize(photo.size))
    start = time.process_time()
    found = orientation(picture, small)
    spent = 1000 * (time.process_time() - start)
    wanted = float(label["rotation"])
    error = abs((found.rotation - wanted + 180) % 360 - 180)
    damaged = float(label["damaged"])
    return [wanted, found.rotation, damaged, found.confidence, error, found.damage, spent]


def _line(found: Floats) -> str:
    wanted, _turn, damaged, _confidence, error, damage, spent = found.T
    turned = np.count_nonzero(np.abs(wanted) > 45)
    auc = roc_auc_score(damaged, damage) if 0 < damaged.sum() < len(damaged) else np.nan
    shown = [f"{len(found)}", f"{turned}", f"{damaged.sum():.0f}", f"{np.median(error):.1f}"]
    shown += [f"{np.mean(error <= 30):.1%}", f"{auc:.3f}", f"{np.median(spent):.1f}"]
    return " | ".join(shown)


if __name__ == "__main__":
    main(sys.argv[1:])
