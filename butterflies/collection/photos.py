"""Photographs and masks of a collection as pixels, upright and in 8 bits.

Pixels count after EXIF orientation, origin top left, y down.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from butterflies.errors import PhotographError, UserError
from butterflies.files import sha256

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
"""The formats that are opened, whatever a file is called: a museum's pictures have no others, and
some that Pillow knows start programs."""

SUFFIX_OF = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp"}
"""MPO is a JPEG with more pictures behind the first."""

MAX_PIXELS = 200_000_000
MIN_SIDE = 16

_LYING = (5, 6, 7, 8)  # EXIF orientations that swap width and height

# The limit above, checked before a pixel is decoded, replaces Pillow's own, which stops at 179 MP.
Image.MAX_IMAGE_PIXELS = None


def open_photo(path: Path) -> Image.Image:
    """A photograph, decoded.

    Returns:
        An RGB picture, or RGBA where the file brings transparency; 8 bit, upright as EXIF says.

    Raises:
        PhotographError: the file is missing, cannot be decoded, or has more than MAX_PIXELS or
            less than MIN_SIDE pixels on a side.
    """
    return _decode(path)[0].image


@dataclass(frozen=True)
class Reduced:
    """A photograph, perhaps decoded small.

    Attributes:
        image: as `open_photo` gives it; its pixel (x, y) covers the photograph's pixels from
            (x, y) * step on.
        step: photograph pixels per pixel of `image`, along each side: 1, 2, 4 or 8.
        size: width and height of the photograph in pixels.
    """

    image: Image.Image
    step: int
    size: tuple[int, int]


def open_reduced(path: Path, least_px: int | None) -> Reduced:
    """A photograph whose longer side has at least `least_px` pixels, unless it never had them.

    A larger JPEG is decoded at a half, a quarter or an eighth of its size, which is faster by far
    than decoding it whole; other formats, and all without `least_px`, are decoded whole.

    Raises:
        PhotographError: as `open_photo`.
    """
    return _decode(path, least_px)[0]


@dataclass(frozen=True)
class Probe:
    """What is known of a photograph after reading it once."""

    status: str
    reason: str | None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None


def probe(path: Path) -> Probe:
    """Reads and decodes a photograph; an ok one's reason tells what was converted, if anything."""
    try:
        photo, note = _decode(path)
    except PhotographError as error:
        return Probe(error.status, str(error))
    return Probe("ok", note, sha256(path), *photo.size)


def suffix_of(path: Path) -> str:
    """The suffix that fits a picture's format, which has been probed."""
    with Image.open(path, formats=FORMATS) as image:
        return SUFFIX_OF[str(image.format)]


def _decode(path: Path, least_px: int | None = None) -> tuple[Reduced, str | None]:
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_size(image)
            turned, size = image.getexif().get(0x0112, 1), image.size
            step = _draft(image, least_px, turned) if least_px else 1
            upright = ImageOps.exif_transpose(image)
            found = image.mode
            whole = size[::-1] if turned in _LYING else size
            # Pillow turns TIFFs by itself: what is decoded whole tells its size best.
            whole = upright.size if step == 1 else whole
            return Reduced(_eight_bit(upright), step, whole), _note(found, turned)
    except FileNotFoundError:
        raise PhotographError("missing", "There is no such file.") from None
    except UnidentifiedImageError:
        raise PhotographError("unreadable", _what_else(path)) from None
    except PhotographError:
        raise
    except Exception as error:  # a decoder meets a broken file with nearly any exception
        reason = f"It cannot be decoded: {str(error).rstrip('.')}."
        raise PhotographError("unreadable", reason) from None


def _draft(image: Image.Image, least_px: int, turned: int) -> int:
    """Has the picture decoded small where its format can, and gives the step."""
    width, height = image.size
    for step in (8, 4, 2):
        # A turned picture begins with what was its end: only whole pixels may lie there.
        whole = turned in (0, 1) or width % step == height % step == 0
        if (
            max(image.size) // step >= least_px
            and whole
            and image.draft(None, (width // step, height // step))
        ):
            return step
    return 1


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        million = f"{width * height / 1e6:.0f}"
        reason = f"It has {million} megapixels, more than {MAX_PIXELS // 1_000_000}."
        raise PhotographError("refused", reason)
    if min(width, height) < MIN_SIDE:
        reason = f"It is {width} x {height} pixels, too small to show a specimen."
        raise PhotographError("refused", reason)


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        top = 65535 if image.mode != "F" or values.max() > 1 else 1
        strips = [_scaled(values[row : row + 256], top) for row in range(0, len(values), 256)]
        image = Image.fromarray(np.concatenate(strips))
    transparent = "A" in image.getbands() or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _scaled(values: npt.NDArray[Any], top: int) -> npt.NDArray[np.uint8]:
    """0..top as 0..255; a strip at a time, since large pictures leave no room for more."""
    return (values.astype(np.float64) / top * 255).clip(0, 255).round().astype(np.uint8)


def _note(mode: str, turned: int) -> str | None:
    notes = []
    if turned not in (0, 1):
        notes.append(f"turned upright as its EXIF orientation {turned} says")
    if mode.startswith("I"):
        notes.append("16-bit grey brought to 8 bits")
    elif mode not in ("RGB", "RGBA"):
        notes.append(f"converted from {mode} to RGB")
    return f"Good; {' and '.join(notes)}." if notes else None


def _what_else(path: Path) -> str:
    start = path.read_bytes()[:512].lstrip().lower()
    if not start:
        return "The file is empty."
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "It is a web page saved under a picture's name."
    return "It is not a picture."


def photo_path(collection: Path, record: Mapping[str, Any]) -> Path:
    """Where a record's photograph lies: `photo` is absolute or relative to the collection."""
    return collection / str(record["photo"])


def photo_marks(collection: Path, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The content fingerprint of every photograph, by assetID.

    The recorded sha256 counts while size and time of the file agree; else the file is read.
    """
    return {str(row["assetID"]): _mark(photo_path(collection, row), row) for row in rows}


def _mark(path: Path, row: Mapping[str, Any]) -> str:
    try:
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (row["photo_bytes"], row["photo_mtime_ns"]):
            return str(row["sha256"])
        return sha256(path)
    except OSError:
        return "missing"


def masked_ids(collection: Path) -> list[str]:
    """The assetIDs that have a mask, sorted."""
    return sorted(path.stem for path in (collection / "masks").glob("*.png"))


def read_mask(
    collection: Path, asset_id: str, size: tuple[int, int]
) -> npt.NDArray[np.bool_] | None:
    """A photograph's mask, true = specimen, or None where there is none.

    Args:
        collection: the collection's folder.
        asset_id: the photograph.
        size: width and height of the photograph after EXIF, in pixels.

    Raises:
        UserError: the mask is unreadable or of another size.
    """
    path = collection / "masks" / f"{asset_id}.png"
    return load_mask(path, size) if path.is_file() else None


def load_mask(path: Path, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """A mask file as bool (height, width); see `read_mask`."""
    try:
        with Image.open(path) as image:
            if image.size != size:
                found = f"{image.width} x {image.height}"
                raise UserError(
                    f"The mask {path} is {found} pixels, its photograph {size[0]} x {size[1]}: "
                    "a mask is as large as its photograph after EXIF."
                )
            return np.asarray(image.convert("L")) > 127
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"The mask {path} cannot be read: {error}.") from None
