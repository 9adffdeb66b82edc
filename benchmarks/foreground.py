r"""How true the colours at a cut-out's edge are, on specimens whose colours are known.

    python benchmarks/foreground.py [cutouts=DIR] [specimens=60]

`cutouts`: a folder of specimens without background (RGBA); drawn ones if not given. Each is laid on
a background of some colour and grain, photographed (reduced, blurred, with noise, as a JPEG), and
cut out again along its true mask, and along one that is off by a pixel in places.

Printed is the mean error of the colours (0 to 255) within three pixels of the outline, weighted by
alpha: as they are, by blur-fusion, by `without_fringe`, and by that after the WebP the cut-out is
stored as. Milliseconds are processor time a cut-out.
"""

import io
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from scipy import ndimage

from butterflies.collection.drawn import draw_one
from butterflies.segmentation.pictures import decode, encode, soft_alpha, without_fringe

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Way = Callable[[Image.Image, Image.Image], Image.Image]

BACKGROUNDS = ((245, 245, 242), (120, 120, 120), (90, 130, 70), (190, 160, 120), (30, 40, 90))


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    count = int(given.get("specimens", 60))
    pictures = list(_pictures(Path(given["cutouts"])) if "cutouts" in given else _drawn(count))
    chosen = pictures[:: max(1, len(pictures) // count)][:count]
    print("| colours | true mask | mask off by a pixel in places | ms |")
    print("|---|---|---|---|")
    for name, way in WAYS.items():
        errors, spent = measured(way, chosen)
        print(f"| {name} | {errors[0]:.2f} | {errors[1]:.2f} | {spent:.1f} |")


def measured(way: Way, pictures: list[Image.Image]) -> tuple[Floats, float]:
    """Mean error with a true mask and one that is off, and milliseconds a picture."""
    errors, spent = [], 0.0
    for number, picture in enumerate(pictures):
        photo, truth, alpha = scene(picture, number)
        for mask in (alpha > 0.5, off(alpha, number)):
            given = softened(mask)
            start = time.process_time()
            found = np.asarray(way(photo, given))
            spent += time.process_time() - start
            weight = np.asarray(given, np.float32) / 255 * near(mask)
            wrong = np.abs(found[..., :3] - truth).mean(axis=2)
            errors.append(float((wrong * weight).sum() / weight.sum()))
    means = np.array(errors, np.float32).reshape(-1, 2).mean(axis=0)
    return means, 1000 * spent / len(errors)


def scene(picture: Image.Image, number: int) -> tuple[Image.Image, Floats, Floats]:
    """A photograph of a specimen, its own colours at every pixel, and its true alpha, 0 to 1."""
    random = np.random.default_rng(number)
    large = [side * 2 for side in picture.size]
    pixels = np.asarray(picture.resize((large[0], large[1]), Image.Resampling.BICUBIC), np.float32)
    pixels = np.pad(pixels, ((30, 30), (30, 30), (0, 0)))
    # Some pixels smaller than it was, so that its colours are known on both sides of the outline.
    alpha = ndimage.binary_erosion(pixels[..., 3] > 127, iterations=10)[..., None]
    alpha = alpha.astype(np.float32)
    own = pixels[..., :3]
    ground = np.array(BACKGROUNDS[number % len(BACKGROUNDS)], np.float32)
    grain = ndimage.gaussian_filter(random.normal(0, 1, alpha.shape), (3, 3, 0))
    mixed = alpha * own + (1 - alpha) * (ground + 10 * grain / grain.std())
    seen, weighted, share = (_photographed(one) for one in (mixed, alpha * own, alpha))
    noisy = (seen + random.normal(0, 2, seen.shape)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=90)
    truth = np.where(share > 0.02, weighted / share.clip(0.02), _photographed(own))
    return Image.open(file).convert("RGB"), truth.astype(np.float32), share[..., 0]


def _photographed(values: Floats) -> Floats:
    """At a half of its size, slightly blurred."""
    height, width = (side // 2 * 2 for side in values.shape[:2])
    small = values[:height, :width].reshape(height // 2, 2, width // 2, 2, -1).mean(axis=(1, 3))
    return np.asarray(ndimage.gaussian_filter(small, (0.7, 0.7, 0)), np.float32)


def off(alpha: Floats, number: int) -> Mask:
    """A mask that is a pixel too large in places, and a pixel too small in others."""
    random = np.random.default_rng(number)
    where = ndimage.gaussian_filter(random.normal(0, 1, alpha.shape), 6)
    where /= where.std()
    mask = alpha > 0.5
    larger, smaller = ndimage.binary_dilation(mask), ndimage.binary_erosion(mask)
    return np.asarray(np.where(where > 0.6, larger, np.where(where < -0.6, smaller, mask)))


def softened(mask: Mask) -> Image.Image:
    """As `segmenter=contrast` softens its masks."""
    blurred = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(0.8))
    return soft_alpha(mask, np.asarray(blurred) / 255)


def near(mask: Mask) -> Mask:
    """Within three pixels of the outline."""
    inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    return np.asarray(inside + outside <= 3)


def untouched(picture: Image.Image, alpha: Image.Image) -> Image.Image:
    joined = picture.copy()
    joined.putalpha(alpha)
    return joined


def fused(picture: Image.Image, alpha: Image.Image) -> Image.Image:
    """Forte, "Approximate Fast Foreground Colour Estimation" (ICIP 2021), within the given mask.

    Where the mask is too large by a pixel its own alpha is no guide: the outermost pixel counts as
    background, which is worth more than any choice of radii.
    """
    image = np.asarray(picture, np.float32)
    share = np.asarray(alpha, np.float32) / 255
    cross = ndimage.generate_binary_structure(2, 1)
    share = ndimage.minimum_filter(share, footprint=cross)[..., None]
    front, behind = image, image
    for radius in (9, 2):
        front, behind = _mean(front, share, radius), _mean(behind, 1 - share, radius)
        mixed = share * front + (1 - share) * behind
        front = (front + share * (image - mixed)).clip(0, 255)
    return untouched(Image.fromarray(front.round().astype(np.uint8)), alpha)


def _mean(values: Floats, weight: Floats, radius: int) -> Floats:
    """Weighted, of what lies in a square about each pixel."""
    size = (2 * radius + 1, 2 * radius + 1, 1)
    total = ndimage.uniform_filter(values * weight, size, mode="constant")
    return np.asarray(total / ndimage.uniform_filter(weight, size, mode="constant").clip(1e-5))


def from_inside(picture: Image.Image, alpha: Image.Image) -> Image.Image:
    return without_fringe(untouched(picture, alpha))


def stored(picture: Image.Image, alpha: Image.Image) -> Image.Image:
    return Image.fromarray(decode(encode(from_inside(picture, alpha))))


def _pictures(folder: Path) -> Iterator[Image.Image]:
    for path in sorted(folder.glob("*.webp")):
        with Image.open(path) as picture:
            yield picture.convert("RGBA")


def _drawn(count: int) -> Iterator[Image.Image]:
    for number in range(count):
        drawn = draw_one(number)
        yield untouched(Image.fromarray(drawn.photo), Image.fromarray(drawn.mask))


WAYS: dict[str, Way] = {
    "as they are": untouched,
    "blur-fusion (Forte, 2021)": fused,
    "`without_fringe`": from_inside,
    "`without_fringe`, stored": stored,
}

if __name__ == "__main__":
    main(sys.argv[1:])
