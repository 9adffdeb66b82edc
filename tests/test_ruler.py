"""Scale from a ruler: millimetres come back, and nothing else is taken for them."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from butterflies.collection.drawing.labels import ZOOM, ruler
from butterflies.segmentation.ruler import Scale, find_scale

Pixels = npt.NDArray[np.uint8]
FINE = 4  # things are drawn this much larger, so that ticks may stand between pixels
METRIC = {0: 7.0, 5: 5.5}  # lengths of ticks in millimetres, by number; others are 4


def _frame(width: int, height: int, seed: int = 0) -> Image.Image:
    """A grey table with noise."""
    noise = np.random.default_rng(seed).normal(150, 5, (height, width, 3))
    return Image.fromarray(noise.clip(0, 255).astype(np.uint8))


def _rule(
    length: float, period: float, dark: bool = False, lengths: dict[int, float] = METRIC
) -> Image.Image:
    """A strip with ticks along its upper edge."""
    size = (round(length * FINE), round(11 * period * FINE))
    paper, ink = ("black", "white") if dark else ("white", "black")
    sheet = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(sheet)
    for number in range(int(length / period)):
        x, wide = (number + 0.4) * period * FINE, max(0.15 * period, 0.7) * FINE
        draw.rectangle((x, 0, x + wide, lengths.get(number % 10, 4) * period * FINE), fill=ink)
    return sheet.reduce(FINE)


def _with(thing: Image.Image, tilt: float = 0, noise: float = 4, blur: float = 0.4) -> Pixels:
    """A photograph of a thing that lies near the lower edge."""
    width = max(480, thing.width + 20)
    height = max(width * 3 // 4, thing.height * 2)
    frame = _frame(width, height)
    alpha = Image.new("L", thing.size, 255).rotate(tilt, expand=True)
    turned = thing.rotate(tilt, Image.Resampling.BICUBIC, expand=True)
    frame.paste(turned, (10, height - turned.height - 12), alpha)
    soft = np.asarray(frame.filter(ImageFilter.GaussianBlur(blur)), np.float64)
    soft += np.random.default_rng(1).normal(0, noise, soft.shape)
    return np.asarray(soft.clip(0, 255), np.uint8)


def _found(photo: Pixels) -> Scale | None:
    return find_scale(photo, np.zeros(photo.shape[:2], bool))


def _period(photo: Pixels) -> float:
    """Pixels a millimetre, 0 where no ruler is found."""
    found = _found(photo)
    return 1 / found.mm_per_px if found else 0.0


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("period", [3, 3.7, 5, 6.28, 8, 11.3, 17, 25, 40])
def test_millimetres_come_back_within_two_percent(period: float, dark: bool) -> None:
    photo = _with(_rule(max(460, 35 * period), period, dark))
    assert _period(photo) == pytest.approx(period, rel=0.02)


@pytest.mark.parametrize("tilt", [-4, -2, -0.7, 0.4, 1.5, 3])
@pytest.mark.parametrize("period", [4.4, 9])
def test_a_ruler_may_lie_a_few_degrees_askew(period: float, tilt: float) -> None:
    assert _period(_with(_rule(460, period), tilt)) == pytest.approx(period, rel=0.02)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_ruler_may_stand_upright_or_upside_down(turns: int) -> None:
    photo = np.ascontiguousarray(np.rot90(_with(_rule(460, 5.3)), turns))
    assert _period(photo) == pytest.approx(5.3, rel=0.02)


@pytest.mark.parametrize(("noise", "blur"), [(16, 0.3), (4, 1.2), (10, 0.8)])
def test_noise_and_blur_are_no_hindrance(noise: float, blur: float) -> None:
    assert _period(_with(_rule(460, 6.5), 0.5, noise, blur)) == pytest.approx(6.5, rel=0.02)


@pytest.mark.parametrize("step", [34, 41.5, 60])
def test_the_ruler_of_drawn_photographs_is_read(step: float) -> None:
    drawn = ruler(np.random.default_rng(2), 460, step).reduce(ZOOM)
    assert _period(_with(drawn)) == pytest.approx(step / 10, rel=0.02)


@pytest.mark.parametrize("factor", [1.5, 2, 3])
def test_a_larger_picture_has_proportionally_fewer_millimetres_a_pixel(factor: float) -> None:
    photo = Image.fromarray(_with(_rule(460, 5)))
    larger = photo.resize((round(photo.width * factor), round(photo.height * factor)))
    small, large = _found(np.asarray(photo)), _found(np.asarray(larger))
    assert small
    assert large
    assert small.mm_per_px / large.mm_per_px == pytest.approx(factor, rel=0.005)


def test_fine_ticks_in_a_large_photograph_are_found_though_a_first_look_loses_them() -> None:
    photo = _with(_rule(1500, 4.5))
    assert _period(photo) == pytest.approx(4.5, rel=0.02)
    small = Image.fromarray(photo).resize((photo.shape[1] // 3, photo.shape[0] // 3))
    assert _period(np.asarray(small)) == 0


@pytest.mark.parametrize(
    "lengths",
    [
        dict.fromkeys(range(10), 5.0),  # a comb, a grating
        {0: 8.0},  # without fives
        {0: 7.0, 4: 6.0, 8: 6.0},  # another unit
    ],
    ids=["equal ticks", "no fives", "fourths"],
)
def test_ticks_without_a_metric_hierarchy_are_refused(lengths: dict[int, float]) -> None:
    assert _found(_with(_rule(460, 6, lengths=lengths))) is None


def test_half_millimetres_are_not_taken_for_whole_ones() -> None:
    halves = {0: 7.0, 2: 5.5, 4: 5.5, 6: 5.5, 8: 5.5}
    assert _period(_with(_rule(460, 6, lengths=halves))) in (0, pytest.approx(12, rel=0.02))


@pytest.mark.parametrize("base", [8, 12, 16])
def test_inches_are_refused(base: int) -> None:
    sheet = Image.new("RGB", (460, 60), "white")
    draw = ImageDraw.Draw(sheet)
    for number in range(460 // 6):
        long = next(k for k in (base, base // 2, base // 4, 1) if number % k == 0)
        draw.line((3 + number * 6, 0, 3 + number * 6, 14 + 24 * long // base), fill="black")
    assert _found(_with(sheet)) is None


def _text() -> Image.Image:
    sheet = Image.new("RGB", (460, 90), "white")
    for row in range(6):
        words = "Illinois minimum 1111 illimitable lllll IIIII mm mm mm millim "
        ImageDraw.Draw(sheet).text((4, 14 * row), words * 2, "black", ImageFont.load_default(11))
    return sheet


def _blocks(wide: int, high: int) -> Image.Image:
    cells = np.random.default_rng(3).random((100 // high, 456 // wide)) < 0.5
    return Image.fromarray(np.kron(cells, np.ones((high, wide))) > 0).convert("RGB")


def _dashes(period: int) -> Image.Image:
    sheet = Image.new("RGB", (460, 40), "white")
    for x in range(0, 460, period):
        ImageDraw.Draw(sheet).rectangle((x, 18, x + period // 2 - 1, 21), fill="red")
    return sheet


@pytest.mark.parametrize(
    "thing",
    [_text(), _blocks(3, 100), _blocks(4, 4), _dashes(6), _dashes(12), _dashes(40)],
    ids=["text", "bar code", "square code", "short dashes", "dashes", "a chequered bar"],
)
@pytest.mark.parametrize("tilt", [0, 2])
def test_other_things_are_not_taken_for_rulers(thing: Image.Image, tilt: float) -> None:
    assert _found(_with(thing, tilt)) is None


@pytest.mark.parametrize(
    "shape", [(360, 480, 3), (40, 30, 3), (300, 58, 3), (5, 700, 3), (1, 1, 3)]
)
def test_without_a_ruler_there_is_no_scale(shape: tuple[int, int, int]) -> None:
    plain = np.full(shape, 128, np.uint8)
    noisy = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    assert _found(plain) is None
    assert _found(noisy) is None


def test_what_the_specimen_covers_is_not_read() -> None:
    photo = _with(_rule(460, 6))
    mask = np.zeros(photo.shape[:2], bool)
    mask[:, 90:] = True
    assert find_scale(photo, mask) is None
    assert find_scale(photo, np.ones_like(mask)) is None
    mask[:, 150:] = False
    assert find_scale(photo, mask) is not None


def test_too_few_ticks_are_no_ruler() -> None:
    assert _found(_with(_rule(110, 6))) is None
