"""Which photographs a segmenter is least sure of, so that their masks teach it most.

A photograph is predicted as it is, mirrored both ways and turned by a quarter. Its uncertainty,
0 to 1, is the weighted mean (WEIGHTS) of four marks from 0 to 1:

- disagreement: 1 - intersection over union of the four predicted masks, turned back: a query by
  committee (Seung et al., 1992), the committee being the turned views;
- entropy: of the mean probability, in bits, averaged over a band about the mask's outline
  (uncertainty sampling, Lewis & Gale, 1994);
- pieces: 1 - 1 / connected parts; 1 where nothing was found;
- oddness: how far area and solidity lie from the genus' medians, in robust standard deviations
  (1.4826 times the median absolute deviation): 0 up to 2 of them, 1 from 6 on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from butterflies.collection.judgements import read_judgements
from butterflies.collection.photos import masked_ids
from butterflies.collection.records import read_records
from butterflies.files import sha256
from butterflies.segmentation.annotator.backgrounds import backgrounds, kinds
from butterflies.segmentation.annotator.measures import Measures, Never
from butterflies.segmentation.cleaning import clean, components
from butterflies.segmentation.shape import solidity
from butterflies.segmentation.working import working_size
from butterflies.tables import ok_rows
from butterflies.tracking.console import progress

if TYPE_CHECKING:
    from butterflies.segmentation.segmenter import Segmenter

Values = Mapping[str, Any]
Probability = npt.NDArray[np.float32]

VERSION = 1
FIELDS = ("disagreement", "entropy", "components", "area", "solidity")
WEIGHTS = {"disagreement": 0.4, "entropy": 0.45, "pieces": 0.05, "oddness": 0.1}
LEAST_GENUS = 8
"""A genus with fewer photographs is compared with all of them."""

WINDOW, ALIKE, MIXED = 60, 9, 1000
"""`spread` chooses among so many next photographs, looks back on so many chosen ones, and leaves
those after so many as they are: nobody draws as many before the next training."""

_TURNS: tuple[tuple[Image.Transpose, Callable[[Probability], Probability]], ...] = (
    (Image.Transpose.FLIP_LEFT_RIGHT, lambda found: found[:, ::-1]),
    (Image.Transpose.FLIP_TOP_BOTTOM, lambda found: found[::-1]),
    (Image.Transpose.ROTATE_90, lambda found: np.rot90(found, -1)),
)


def rank(
    collection: Path, segmenter: Path, ids: Iterable[str] | None = None, seed: int = 0
) -> list[str]:
    """The photographs whose masks a segmenter needs most, most needed first.

    Args:
        collection: the collection's folder; what is measured is kept in its `cache/`.
        segmenter: the checkpoint.
        ids: the photographs to rank; all that have neither mask nor judgement when None.
        seed: of the background classes.

    Returns:
        `ids` without those that cannot be read, uncertain ones first, spread over genera and
        backgrounds.

    Raises:
        UserError: there are no records, or the checkpoint is no segmenter's.
    """
    from butterflies.segmentation.predict import load_segmenter  # torch takes seconds

    rows = {str(row["assetID"]): row for row in ok_rows(read_records(collection))}
    done = {*masked_ids(collection), *read_judgements(collection)}
    wanted = sorted(rows.keys() - done) if ids is None else [key for key in ids if key in rows]
    asked = [rows[key] for key in wanted]
    measured = uncertainties(collection, segmenter, asked)
    complete(measured, wanted, load_segmenter(segmenter))
    seen = backgrounds(collection, asked, seed)
    genera = {key: rows[key]["genus"] or "" for key in wanted}
    scores = score({key: measured.values[key] for key in wanted if key in measured.values}, genera)
    return spread(by_score(scores), {key: kinds(genera, seen, key) for key in scores})


def uncertainties(collection: Path, segmenter: Path, rows: Iterable[Values]) -> Measures:
    """The table of what a checkpoint's predictions measure, as far as it is made."""
    name = f"uncertainty-{sha256(segmenter)[:16]}-{VERSION}"
    return Measures(collection, name, FIELDS, rows)


def complete(
    measured: Measures,
    ids: Sequence[str],
    model: "Segmenter",
    stopped: Callable[[], bool] = Never,
    after_part: Callable[[], None] = lambda: None,
) -> None:
    """Predicts what is missing of `ids`, behind a progress bar.

    Args:
        measured: the table.
        ids: photographs of the table.
        model: in evaluation mode.
        stopped: asked before each photograph.
        after_part: called whenever more photographs are known.
    """
    bar = progress(measured.missing(ids), "ranking")
    steps = iter(bar)
    for count in measured.complete(ids, lambda photo: measure(model, photo), stopped):
        for _ in zip(range(count), steps, strict=False):
            pass
        after_part()


def measure(model: "Segmenter", photo: Image.Image) -> dict[str, float]:
    """What four views of a photograph (RGB) tell; the values of FIELDS.

    `area` is the mask's share of the photograph, `components` counts before cleaning.
    """
    from butterflies.segmentation.predict import predict  # torch takes seconds

    size = working_size(photo.size, model.working_px)
    small = photo.resize(size, Image.Resampling.BOX, reducing_gap=2)
    answers = predict(model, [small, *(small.transpose(turn) for turn, _ in _TURNS)])
    back = [answers[0], *(undo(a) for (_, undo), a in zip(_TURNS, answers[1:], strict=True))]
    views = np.stack(back)
    mean = views.mean(axis=0)
    mask = clean(mean > 0.5)
    return {
        "disagreement": _disagreement(views > 0.5),
        "entropy": _edge_entropy(mean, mask),
        "components": float(components(mean > 0.5)),
        "area": float(mask.mean()),
        "solidity": solidity(mask) if mask.any() else 0.0,
    }


def score(measured: Mapping[str, Values], genera: Mapping[str, str]) -> dict[str, float]:
    """The uncertainty of each photograph, 0 to 1; see the head of this file.

    Args:
        measured: values of FIELDS by assetID.
        genera: genus by assetID.
    """
    odd = _oddness(measured, genera)
    marks = {
        key: {
            "disagreement": row["disagreement"],
            "entropy": row["entropy"],
            "pieces": 1 - 1 / row["components"] if row["components"] else 1.0,
            "oddness": odd[key],
        }
        for key, row in measured.items()
    }
    return {key: sum(WEIGHTS[m] * v for m, v in found.items()) for key, found in marks.items()}


def by_score(scores: Mapping[str, float]) -> list[str]:
    """The highest first, equal ones by assetID."""
    return sorted(scores, key=lambda key: (-scores[key], key))


def spread(order: Sequence[str], kinds: Mapping[str, Sequence[str]]) -> list[str]:
    """The same photographs in nearly the same order, but not ten of a kind in a row.

    Next comes, of the WINDOW next ones, the one that shares least kinds with the ALIKE chosen last;
    of equals, the one that stood first.

    Args:
        order: assetIDs.
        kinds: what each is, such as its genus and its background.
    """
    left, chosen = list(order), list[str]()
    while left and len(chosen) < MIXED:
        recent = [kind for key in chosen[-ALIKE:] for kind in kinds[key]]
        counts = {kind: recent.count(kind) for kind in recent}
        shared = [sum(counts.get(kind, 0) for kind in kinds[key]) for key in left[:WINDOW]]
        chosen.append(left.pop(shared.index(min(shared))))
    return chosen + left


def _disagreement(masks: npt.NDArray[np.bool_]) -> float:
    union = np.count_nonzero(masks.any(axis=0))
    return 1 - np.count_nonzero(masks.all(axis=0)) / union if union else 1.0


def _edge_entropy(probability: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]) -> float:
    reach = max(2, round(max(mask.shape) / 160))
    inner = ndimage.binary_erosion(mask, iterations=reach, border_value=1)
    band = ndimage.binary_dilation(mask, iterations=reach) & ~inner
    if not band.any():
        return 1.0
    p = probability[band].astype(np.float64).clip(1e-6, 1 - 1e-6)
    return float(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)).mean())


def _oddness(measured: Mapping[str, Values], genera: Mapping[str, str]) -> dict[str, float]:
    found = {key: row for key, row in measured.items() if row["area"] > 0}
    groups: dict[str, list[str]] = {}
    for key in found:
        groups.setdefault(genera[key], []).append(key)
    odd = dict.fromkeys(measured, 1.0)
    everyone = list(found)
    for members in groups.values():
        peers = members if len(members) >= LEAST_GENUS else everyone
        far = np.maximum(
            _strays(found, members, peers, "area", 0.05),
            _strays(found, members, peers, "solidity", 0.02),
        )
        odd |= dict(zip(members, ((far - 2) / 4).clip(0, 1).tolist(), strict=True))
    return odd


def _strays(
    found: Mapping[str, Values], members: list[str], peers: list[str], field: str, least: float
) -> npt.NDArray[np.float64]:
    """Robust z-scores of `members` among `peers`; a deviation counts as `least` of the median."""
    known = np.array([found[key][field] for key in peers])
    middle = np.median(known)
    deviation = max(1.4826 * float(np.median(np.abs(known - middle))), least * float(middle))
    own = np.array([found[key][field] for key in members], dtype=np.float64)
    return np.asarray(np.abs(own - middle) / deviation)
