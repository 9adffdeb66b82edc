"""One part of a collection's cut-outs, from photographs to files: the work of one process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.collection.photos import open_photo, photo_path
from butterflies.errors import PhotographError
from butterflies.files import writing
from butterflies.segmentation import shape
from butterflies.segmentation.masking import Found, by_alpha, by_contrast, by_probability
from butterflies.segmentation.pictures import Frame, cut, encode, opaque, without_fringe
from butterflies.segmentation.store import write_part

if TYPE_CHECKING:
    from butterflies.segmentation.segmenter import Segmenter

LEAST_SHARE = 0.001
"""A smaller part of the photograph is no specimen."""
LEAST_PX = 10
"""Neither is a box with a shorter longer side."""


@dataclass(frozen=True)
class Part:
    """What a process needs to know to make a part.

    Attributes:
        number: of the part.
        rows: records of its photographs, sorted by assetID.
        collection: the collection's folder.
        folder: where the part is written.
        segmenter: `alpha`, `contrast` or a checkpoint.
        batch_size: photographs held, and predicted, at once.
        keep_masks: folder for masks, or none.
    """

    number: int
    rows: tuple[dict[str, Any], ...]
    collection: Path
    folder: Path
    segmenter: str
    batch_size: int
    keep_masks: Path | None


def make_part(part: Part) -> None:
    """Cuts the part's photographs out and writes its files; the same bytes wherever it runs."""
    rows: list[dict[str, Any]] = []
    images: list[bytes] = []
    with _one_thread(part.segmenter):
        for start in range(0, len(part.rows), part.batch_size):
            for row, image in _batch(part, part.rows[start : start + part.batch_size]):
                rows.append(row)
                images += [image] if image is not None else []
    write_part(part.folder, part.number, rows, images)


def mask_file(folder: Path, asset_id: str) -> Path:
    return folder / f"{asset_id}.png"


def _batch(
    part: Part, records: Sequence[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    photos = [_photo(part, record) for record in records]
    good = [photo for photo in photos if isinstance(photo, Image.Image)]
    found = iter(_masks(part, good))
    for record, photo in zip(records, photos, strict=True):
        base = {"assetID": record["assetID"], "status": "ok", "reason": None}
        try:
            if isinstance(photo, PhotographError):
                raise photo
            made = next(found)
            if isinstance(made, PhotographError):
                raise made
            values, image = _cut_out(part, record, photo, made)
            yield base | values, image
        except PhotographError as error:
            yield base | {"status": error.status, "reason": str(error)}, None


def _photo(part: Part, record: dict[str, Any]) -> Image.Image | PhotographError:
    """The photograph, or why there is none."""
    if record["status"] != "ok":
        return PhotographError(record["status"], record["reason"] or "It was not collected.")
    try:
        return open_photo(photo_path(part.collection, record))
    except PhotographError as error:
        return error


def _masks(part: Part, photos: list[Image.Image]) -> list[Found | PhotographError]:
    if part.segmenter == "alpha":
        return [_tried(by_alpha, photo) for photo in photos]
    if part.segmenter == "contrast":
        return [_tried(by_contrast, photo) for photo in photos]
    from butterflies.segmentation.predict import predict

    model = _model(part.segmenter)
    answers = predict(model, [opaque(photo) for photo in photos], part.batch_size)
    pairs = zip(answers, photos, strict=True)
    return [by_probability(answer, photo.size) for answer, photo in pairs]


def _tried(method: Any, photo: Image.Image) -> Found | PhotographError:
    try:
        found: Found = method(photo)
    except PhotographError as error:
        return error
    return found


def _cut_out(
    part: Part, record: dict[str, Any], photo: Image.Image, found: Found
) -> tuple[dict[str, Any], bytes]:
    """The row's values and the picture of one specimen.

    Raises:
        PhotographError: nothing that was found is large enough for a specimen.
    """
    mask = np.asarray(found.alpha) > 127
    share = float(mask.mean())
    if share < LEAST_SHARE:
        raise PhotographError("no_specimen", "Nothing that looks like a specimen was found.")
    frame = Frame.around(mask)
    if max(frame.box[2:]) < LEAST_PX:
        reason = f"What was found is only {frame.box[2]} x {frame.box[3]} pixels."
        raise PhotographError("no_specimen", reason)
    if part.keep_masks is not None:
        _write_mask(mask_file(part.keep_masks, record["assetID"]), mask)
    picture = cut(_colours(photo, found), found.alpha, frame)
    image = encode(without_fringe(picture) if found.mixed else picture)
    return _values(record, frame, found, share), image


def _colours(photo: Image.Image, found: Found) -> Image.Image:
    """RGB; a picture that brings its own transparency keeps the colours below it."""
    return opaque(photo) if found.mixed else photo.convert("RGB")


def _values(record: dict[str, Any], frame: Frame, found: Found, share: float) -> dict[str, Any]:
    sides = zip(("x", "y", "w", "h"), frame.box, strict=True)
    return {
        "specimen": record["specimen"],
        **{f"box_{side}": value for side, value in sides},
        "rotation": 0.0,
        "scale": frame.scale,
        "foreground_share": share,
        "touches_border": shape.touches_border(found.mask),
        "components": found.components,
        "asymmetry": shape.asymmetry(found.mask),
        "solidity": shape.solidity(found.mask),
        "confidence": found.confidence,
    }


def _write_mask(path: Path, mask: npt.NDArray[np.bool_]) -> None:
    with writing(path) as temporary:
        Image.fromarray(mask.astype(np.uint8) * 255).save(temporary, format="PNG")


@lru_cache(maxsize=1)
def _model(checkpoint: str) -> "Segmenter":
    from butterflies.segmentation.predict import load_segmenter

    return load_segmenter(Path(checkpoint))


@contextmanager
def _one_thread(segmenter: str) -> Iterator[None]:
    """One thread for torch: each process has a core of its own, and sums come out the same."""
    if segmenter in ("alpha", "contrast"):
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
