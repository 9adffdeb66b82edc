"""The photograph: a specimen on a background, under a lamp, through a camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from butterflies.collection.drawing.butterfly import Butterfly, butterfly
from butterflies.collection.drawing.ground import HEIGHT, SHAPE, WIDTH, ground, plain
from butterflies.collection.drawing.layout import Layout, add_labels, place_specimen, plan
from butterflies.collection.drawing.specimen import Specimen
from butterflies.collection.drawing.texture import Floats, cloud, grain

Pixels = NDArray[np.uint8]
_SUPERSAMPLE = 1.8  # wings are drawn so much finer than the photograph shows them
_TYPICAL_HEIGHT = 1.25  # of an upright specimen, in forewing lengths


def photograph(individual: Specimen, record: dict[str, str]) -> tuple[Pixels, Pixels]:
    """Return a photograph (360, 480, 3) and its mask (360, 480), 0 or 255, both uint8."""
    rng = individual.rng("scene")
    layout = plan(rng, individual.clean)
    animal, feelers = _posed(individual, layout, rng)
    x, y = place_specimen(layout, animal.size, rng)
    alone = _on_frame(animal, x, y)
    both = _on_frame(feelers, x, y)
    both.alpha_composite(alone)
    coverage = _coverage(both)
    if not individual.clean:
        add_labels(layout, coverage > 0.02, record, rng)
    surface = plain(rng) if individual.clean else ground(rng)[0]
    seen = _laid(surface, both, layout, rng, shadow=not individual.clean)
    mask = np.where(np.asarray(alone.getchannel("A")) > 127, 255, 0).astype(np.uint8)
    return _camera(_lit(seen, individual.clean, rng), individual.clean, rng), mask


def backdrop(individual: Specimen, record: dict[str, str]) -> Pixels:
    """Return a photograph (360, 480, 3), uint8, of all but the specimen: ground, labels, ruler."""
    rng = individual.rng("backdrop")
    layout = plan(rng, clean=False)
    add_labels(layout, np.zeros(SHAPE, bool), record, rng)
    nothing = Image.new("RGBA", (WIDTH, HEIGHT))
    seen = _laid(ground(rng)[0], nothing, layout, rng, shadow=False)
    return _camera(_lit(seen, False, rng), False, rng)


def _posed(
    individual: Specimen, layout: Layout, rng: np.random.Generator
) -> tuple[Image.Image, Image.Image]:
    """The specimen at its tilt and final size, and its feelers likewise."""
    wanted = HEIGHT * float(
        np.clip(0.56 * individual.kind.size**0.8 * rng.normal(1, 0.12), 0.36, 0.74)
    )
    tilt = float(rng.normal(0, 3.2) if rng.random() < 0.88 else rng.uniform(-25, 25))
    drawn = butterfly(individual, wanted * _SUPERSAMPLE / _TYPICAL_HEIGHT, tilt)
    return _fitted(drawn, layout, wanted)


def _fitted(drawn: Butterfly, layout: Layout, wanted: float) -> tuple[Image.Image, Image.Image]:
    """Shrink to the wanted height of wings and body, less where the frame leaves less room."""
    left, top, right, bottom = layout.area
    box = drawn.animal.getchannel("A").getbbox() or (0, 0, *drawn.animal.size)
    width, height = drawn.animal.size
    room = 0.82 if layout.label_side else 0.96  # labels need a column beside the wings
    factor = min(wanted / (box[3] - box[1]), room * (right - left) / width, (bottom - top) / height)
    size = (max(int(width * factor), 8), max(int(height * factor), 8))
    animal, feelers = (
        part.resize(size, Image.Resampling.HAMMING) for part in (drawn.animal, drawn.feelers)
    )
    return animal, feelers


def _on_frame(picture: Image.Image, x: int, y: int) -> Image.Image:
    frame = Image.new("RGBA", (WIDTH, HEIGHT))
    frame.paste(picture, (x, y))
    return frame


def _coverage(picture: Image.Image) -> Floats:
    return np.asarray(picture.getchannel("A"), np.float32) / 255


def _laid(
    surface: Floats, specimen: Image.Image, layout: Layout, rng: np.random.Generator, shadow: bool
) -> Floats:
    """Lay labels and the specimen on a surface, each with its soft shadow."""
    angle, depth = rng.uniform(0, 2 * np.pi), float(rng.uniform(0.25, 0.6))
    things = Image.new("RGBA", (WIDTH, HEIGHT))
    for picture, x, y in layout.things:
        things.alpha_composite(picture, (x, y))
    if layout.things:
        surface = _over(_shadowed(surface, things, angle, 1.5, 1.2, 0.35), things)
    if shadow:
        height = float(rng.uniform(3, 9))
        surface = _shadowed(surface, specimen, angle, height, height * 0.8, depth)
    return _over(surface, specimen)


def _shadowed(
    surface: Floats, picture: Image.Image, angle: float, away: float, blur: float, depth: float
) -> Floats:
    soft = picture.getchannel("A").filter(ImageFilter.GaussianBlur(blur))
    step = (-away * float(np.cos(angle)), -away * float(np.sin(angle)))
    moved = soft.transform(soft.size, Image.Transform.AFFINE, (1, 0, step[0], 0, 1, step[1]))
    dark = np.asarray(moved, np.float32)[..., None] * np.float32(depth / 255)
    shaded: Floats = surface * (1 - dark)
    return shaded


def _over(surface: Floats, picture: Image.Image) -> Floats:
    pixels = np.asarray(picture, np.float32) / np.float32(255)
    mixed: Floats = surface + (pixels[..., :3] - surface) * pixels[..., 3:]
    return mixed


def _lit(seen: Floats, clean: bool, rng: np.random.Generator) -> Floats:
    """Uneven lamp light, exposure, and colour cast."""
    uneven, cast = (0.015, 0.012) if clean else (0.12, 0.045)
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :]
    tilt = rng.normal(0, uneven, 2).tolist()
    light = 1 + tilt[0] * x + tilt[1] * y - uneven * 0.7 * (x**2 + y**2)
    light += 0.15 * uneven * cloud(rng, SHAPE, 1)
    exposure = rng.uniform(0.97, 1.03) if clean else np.exp(rng.uniform(np.log(0.5), np.log(1.3)))
    gains = exposure * np.clip(1 + cast * rng.standard_normal(3), 0.85, 1.15)
    return np.asarray(seen * light[..., None] * gains.astype(np.float32), np.float32)


def _camera(light: Floats, clean: bool, rng: np.random.Generator) -> Pixels:
    """Soft highlights, slight blur, and noise; returns uint8."""
    bent = np.where(light > 0.85, 0.85 + 0.15 * np.tanh((light - 0.85) / 0.15), light)
    noise = float(rng.uniform(0.002, 0.005) if clean else rng.uniform(0.004, 0.022))
    picture = Image.fromarray(np.clip(bent * 255 + 0.5, 0, 255).astype(np.uint8))
    blur = float(rng.uniform(0.2, 0.45) if clean else rng.gamma(2.0, 0.2) + 0.15)
    pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(min(blur, 1.1))), np.float32)
    shared = grain(rng, SHAPE)[..., None]
    colour = np.stack([grain(rng, SHAPE) for _ in range(3)], axis=2)
    noisy = pixels + 255 * noise * (0.8 * shared + 0.5 * colour)
    result: Pixels = np.clip(noisy + 0.5, 0, 255).astype(np.uint8)
    return result
