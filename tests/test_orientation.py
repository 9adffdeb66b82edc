"""Orientation: what is turned comes back, what is broken is noticed."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from butterflies.collection.drawn import draw_one
from butterflies.segmentation.orientation import Orientation, orientation

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

NUMBERS = (1, 4, 8, 12)
NOTHING = Orientation(rotation=0.0, confidence=0.0, asymmetry=0.0, damage=0.0)


@lru_cache
def _specimen(number: int) -> tuple[Pixels, Mask]:
    """With four wings, as it was drawn: within a few degrees of upright."""
    drawn = draw_one(number, seed=3)
    return drawn.photo, drawn.mask > 127


def _turned(picture: Pixels, mask: Mask, angle: float) -> tuple[Pixels, Mask]:
    """Counter-clockwise, in a frame large enough for all of it."""
    photo = Image.fromarray(picture).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    alpha = Image.fromarray(mask).convert("L").rotate(angle, expand=True)
    return np.asarray(photo), np.asarray(alpha) > 127


def _between(first: float, second: float) -> float:
    return abs((first - second + 180) % 360 - 180)


@pytest.mark.parametrize("angle", [-170, -90, -61, -20, -7.5, -1, 3, 12, 45, 90, 133, 180])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_turned_specimen_is_turned_back_within_two_degrees(number: int, angle: float) -> None:
    picture, mask = _specimen(number)
    before = orientation(picture, mask).rotation
    found = orientation(*_turned(picture, mask, -angle))
    assert _between(found.rotation, before + angle) < 2
    assert -180 < found.rotation <= 180
    assert found.confidence > 0.8


@pytest.mark.parametrize("number", NUMBERS)
def test_a_specimen_drawn_upright_needs_little_rotation(number: int) -> None:
    assert abs(orientation(*_specimen(number)).rotation) < 26  # the most a drawn one is tilted


@pytest.mark.parametrize("number", NUMBERS)
def test_rotation_brings_a_lying_specimen_upright(number: int) -> None:
    lying = _turned(*_specimen(number), -70)
    upright = _turned(*lying, orientation(*lying).rotation)
    assert abs(orientation(*upright).rotation) < 1.5


@pytest.mark.parametrize("angle", [-25, 0, 90, 160])
def test_a_mirrored_picture_has_the_mirrored_angle(angle: float) -> None:
    picture, mask = _turned(*_specimen(4), angle)
    plain, mirrored = orientation(picture, mask), orientation(picture[:, ::-1], mask[:, ::-1])
    assert _between(plain.rotation, -mirrored.rotation) < 1
    assert plain.asymmetry == pytest.approx(mirrored.asymmetry, abs=0.03)


def test_a_specimen_taken_from_another_place_or_background_is_judged_the_same() -> None:
    picture, mask = _specimen(8)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    shape = (500, 700)
    moved, where = np.full((*shape, 3), 77, np.uint8), np.zeros(shape, bool)
    place = np.s_[13 : 13 + mask[box].shape[0], 201 : 201 + mask[box].shape[1]]
    moved[place], where[place] = picture[box], mask[box]
    assert orientation(moved, where) == orientation(picture, mask)


@pytest.mark.parametrize("scale", [0.25, 4])
def test_size_does_not_count(scale: float) -> None:
    picture, mask = _specimen(12)
    size = round(mask.shape[1] * scale), round(mask.shape[0] * scale)
    photo = np.asarray(Image.fromarray(picture).resize(size))
    alpha = np.asarray(Image.fromarray(mask).convert("L").resize(size)) > 127
    found, expected = orientation(photo, alpha), orientation(picture, mask)
    assert _between(found.rotation, expected.rotation) < 2
    assert found.damage == pytest.approx(expected.damage, abs=0.15)


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_lost_wing_is_damage(number: int, left: bool, upper: bool) -> None:
    picture, mask = _specimen(number)
    whole = orientation(picture, mask)
    broken = orientation(picture, _without_quarter(mask, left, upper))
    assert whole.damage < 0.3
    assert broken.damage > whole.damage + 0.3
    assert broken.asymmetry > whole.asymmetry
    assert _between(broken.rotation, whole.rotation) < 12


def _without_quarter(mask: Mask, left: bool, upper: bool) -> Mask:
    """Without about one wing: a corner of the box, up to the body."""
    y, x = np.nonzero(mask)
    middle, waist = np.median(x), np.median(y)
    rows, columns = np.indices(mask.shape)
    beside = columns < middle - 8 if left else columns > middle + 8
    quarter = (rows < waist if upper else rows >= waist) & beside
    return np.asarray(mask & ~quarter)


def test_nicks_are_no_lost_wing() -> None:
    picture, mask = _specimen(4)
    nicked = mask.copy()
    y, x = np.nonzero(mask)
    for k in (x.argmin(), x.argmax(), y.argmax()):
        nicked[y[k] - 4 : y[k] + 5, x[k] - 4 : x[k] + 5] = False
    assert orientation(picture, nicked).damage < 0.3


@pytest.mark.parametrize("pixels", [0, 1, 30])
def test_an_empty_or_tiny_mask_tells_nothing(pixels: int) -> None:
    mask = np.zeros((60, 80), bool)
    mask[20, 5 : 5 + pixels] = True
    assert orientation(np.zeros((60, 80, 3), np.uint8), mask) == NOTHING


@pytest.mark.parametrize("box", [np.s_[:, :], np.s_[40:41, :], np.s_[10:50, 10:50]])
def test_shapes_that_are_no_butterfly_give_numbers_in_range(box: tuple[slice, slice]) -> None:
    mask = np.zeros((90, 120), bool)
    mask[box] = True
    found = orientation(np.full((90, 120, 3), 128, np.uint8), mask)
    assert -180 < found.rotation <= 180
    assert all(0 <= one <= 1 for one in (found.confidence, found.asymmetry, found.damage))
    assert found.confidence < 0.8


def test_one_pair_of_wings_from_the_side_is_less_certain_than_spread_ones() -> None:
    picture, mask = _specimen(1)
    half = mask.copy()
    half[:, : int(np.median(np.nonzero(mask)[1]))] = False
    assert orientation(picture, half).confidence < 0.7 < orientation(picture, mask).confidence


@pytest.mark.parametrize("seed", range(12))
def test_threads_and_dots_are_no_trouble(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = (16, 2000) if seed % 2 else (300, 1200)
    mask = np.zeros(size, bool)
    if seed % 3:
        mask[random.integers(size[0], size=150), random.integers(size[1], size=150)] = True
    else:
        mask[random.integers(size[0])] = True
    picture = random.integers(255, size=(*size, 3), dtype=np.uint8)
    found = orientation(picture, mask)
    assert all(0 <= one <= 1 for one in (found.confidence, found.asymmetry, found.damage))
