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

from butterflies.collection.photos import Reduced, open_reduced, photo_path
from butterflies.errors import PhotographError
from butterflies.files import writing
from butterflies.segmentation.masking import Found, by_alpha, by_contrast, by_probability
from butterflies.segmentation.pictures import opaque
from butterflies.segmentation.ruler import find_scale
from butterflies.segmentation.specimen import cut_out, whole_mask
from butterflies.segmentation.store import write_part

if TYPE_CHECKING:
    from butterflies.segmentation.segmenter import Segmenter

_CONTRAST_PX = 1280  # twice what `contrast_mask` works at


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
        flips: see predict.
        upright: turn specimens upright.
        ruler: read the photograph's ruler.
    """

    number: int
    rows: tuple[dict[str, Any], ...]
    collection: Path
    folder: Path
    segmenter: str
    batch_size: int
    keep_masks: Path | None
    flips: bool
    upright: bool
    ruler: bool


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
    good = [photo for photo in photos if isinstance(photo, Reduced)]
    found = iter(_masks(part, [photo.image for photo in good]))
    for record, photo in zip(records, photos, strict=True):
        base = {"assetID": record["assetID"], "status": "ok", "reason": None}
        try:
            if isinstance(photo, PhotographError):
                raise photo
            made = next(found)
            if isinstance(made, PhotographError):
                raise made
            values, image = _specimen(part, record, photo, made)
            yield base | values, image
        except PhotographError as error:
            yield base | {"status": error.status, "reason": str(error)}, None


def _photo(part: Part, record: dict[str, Any]) -> Reduced | PhotographError:
    """The photograph, or why there is none."""
    if record["status"] != "ok":
        return PhotographError(record["status"], record["reason"] or "It was not collected.")
    try:
        return open_reduced(photo_path(part.collection, record), _least_px(part))
    except PhotographError as error:
        return error


def _least_px(part: Part) -> int | None:
    """What the photograph must have for its mask: twice that, since to reduce a little blurs."""
    if part.ruler:
        return None
    if part.segmenter in ("alpha", "contrast"):
        return _CONTRAST_PX
    return 2 * _model(part).working_px


def _masks(part: Part, photos: list[Image.Image]) -> list[Found | PhotographError]:
    if part.segmenter == "alpha":
        return [_tried(by_alpha, photo) for photo in photos]
    if part.segmenter == "contrast":
        return [_tried(by_contrast, photo) for photo in photos]
    from butterflies.segmentation.predict import predict

    model = _model(part)
    answers = predict(model, [opaque(photo) for photo in photos], part.batch_size, part.flips)
    pairs = zip(answers, photos, strict=True)
    return [by_probability(answer, photo.size) for answer, photo in pairs]


def _tried(method: Any, photo: Image.Image) -> Found | PhotographError:
    try:
        found: Found = method(photo)
    except PhotographError as error:
        return error
    return found


def _specimen(
    part: Part, record: dict[str, Any], photo: Reduced, found: Found
) -> tuple[dict[str, Any], bytes]:
    path = photo_path(part.collection, record)
    values, image = cut_out(record, path, photo, found, part.upright)
    if part.keep_masks is not None:
        _write_mask(mask_file(part.keep_masks, record["assetID"]), whole_mask(found, photo))
    return values | (_measured(photo, found) if part.ruler else {}), image


def _measured(photo: Reduced, found: Found) -> dict[str, float]:
    """Millimetres per photograph pixel; nothing where no ruler is seen."""
    scale = find_scale(np.asarray(opaque(photo.image)), np.asarray(found.alpha) > 127)
    if scale is None:
        return {}
    return {"mm_per_px": scale.mm_per_px, "mm_confidence": scale.confidence}


def _write_mask(path: Path, mask: npt.NDArray[np.bool_]) -> None:
    with writing(path) as temporary:
        Image.fromarray(mask.astype(np.uint8) * 255).save(temporary, format="PNG")


def _model(part: Part) -> "Segmenter":
    path = Path(part.segmenter)
    return _loaded(path, path.stat().st_mtime_ns)  # in a notebook a new one may take its place


@lru_cache(maxsize=1)
def _loaded(checkpoint: Path, changed: int) -> "Segmenter":
    from butterflies.segmentation.predict import load_segmenter

    return load_segmenter(checkpoint)


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
