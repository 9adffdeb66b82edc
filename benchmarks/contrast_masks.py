r"""What free masks teach: by contrast alone, and with some and all masks drawn by hand.

    python benchmarks/contrast_masks.py collection=walk/collection out=contrast-museum

Photographs on clean backgrounds get their masks by contrast; hand masks are of specimens of the
training split, chosen by lot. Scores are of photographs of test specimens whose backgrounds refuse
a mask by contrast, and of those with clean ones. Photographs are seen at half their size (SIDE_PX),
where a training has nearly converged after two minutes.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from segmenting import link, parts, scores, trained

from butterflies.collection.photos import masked_ids, open_photo, photo_path
from butterflies.collection.records import read_records
from butterflies.collection.splits import split_of
from butterflies.segmentation.contrast import CERTAIN, contrast_mask
from butterflies.tables import ok_rows

WAYS: tuple[tuple[str, int | None, dict[str, Any]], ...] = (
    ("contrast, nothing pasted", 0, {"taught_by": "contrast", "paste": 0.0}),
    ("contrast", 0, {"taught_by": "contrast"}),
    ("contrast and 10 by hand", 10, {"taught_by": "both"}),
    ("contrast and 30 by hand", 30, {"taught_by": "both"}),
    ("contrast and all by hand", None, {"taught_by": "both"}),
    ("all by hand", None, {"taught_by": "hand"}),
)


SIDE_PX, CROP_PX = 240, 128


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    collection, out = Path(given["collection"]), Path(given["out"])
    noisy, clean = _backgrounds(collection, parts(collection)[1])
    print(f"| masks | IoU, {len(noisy)} noisy | worst | boundary F | IoU, {len(clean)} clean | s |")
    print("|---|---|---|---|---|---|")
    for number, (name, hand, data) in enumerate(WAYS):
        here, start = out / str(number), time.perf_counter()
        link(collection, here, _hand(collection, hand))
        steps = int(given.get("steps", 1200))
        model = trained(here, steps, 0, SIDE_PX, crop_px=CROP_PX, **data)
        seconds = time.perf_counter() - start
        iou, worst, edge = scores(model, collection, noisy)
        other = scores(model, collection, clean)[0]
        print(
            f"| {name} | {iou:.3f} | {worst:.3f} | {edge:.3f} | {other:.3f} | {seconds:.0f} |",
            flush=True,
        )


def _hand(collection: Path, count: int | None) -> list[str]:
    """Masks of the training split, and those of the others, which do not teach."""
    masked = set(masked_ids(collection))
    rows = [r for r in ok_rows(read_records(collection)) if r["assetID"] in masked]
    train = sorted(r["assetID"] for r in rows if split_of(r["specimen"]) == "train")
    lot = np.random.default_rng(0).permutation(train).tolist()
    return [*lot[:count], *(masked - set(train))]


def _backgrounds(collection: Path, ids: list[str]) -> tuple[list[str], list[str]]:
    """Those that a mask by contrast is refused, and the others."""
    rows = {r["assetID"]: r for r in ok_rows(read_records(collection))}
    clean = [key for key in ids if _certain(open_photo(photo_path(collection, rows[key])))]
    return sorted(set(ids) - set(clean)), clean


def _certain(photo: Image.Image) -> bool:
    return contrast_mask(np.asarray(photo.convert("RGB")))[1] >= CERTAIN


if __name__ == "__main__":
    main(sys.argv[1:])
