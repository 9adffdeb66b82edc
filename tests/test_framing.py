"""Where a cut-out lies: the numbers lead from the photograph to the cut-out, and nothing blurs."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter

from butterflies.segmentation.framing import LARGEST_PX, Frame
from butterflies.segmentation.pictures import without_fringe
from butterflies.segmentation.shape import solidity, touches_border

Floats = npt.NDArray[np.float64]

MIDDLE = (231.5, 187.25)


def turn(degrees: float) -> Floats:
    """Counter-clockwise on screen, of (x, y) with y down."""
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def frame(rotation: float, scale: float, side: int = 48) -> Frame:
    return Frame((0, 0, 1, 1), MIDDLE, rotation, scale, side)


def grating(frequency: float, rotation: float, scale: float) -> Image.Image:
    """Waves that the frame turns and scales to `frequency` a cut-out pixel, along its x."""
    y, x = np.mgrid[:400, :480] + 0.5
    along = (x - MIDDLE[0]) * turn(rotation)[0, 0] + (y - MIDDLE[1]) * turn(rotation)[0, 1]
    waves = 127.5 + 100 * np.sin(2 * np.pi * frequency * scale * along)
    return Image.fromarray(waves.round().astype(np.uint8))


def contrast(cut: Image.Image, frequency: float) -> float:
    """How much of a grating is left, where it should be."""
    side = cut.width
    wave = np.sin(2 * np.pi * frequency * (np.arange(side) + 0.5 - side / 2))
    pixels = np.asarray(cut, np.float64) - 127.5
    return float((pixels * wave).mean() / (wave**2).mean() / 100)


@pytest.mark.parametrize("step", [1, 4])
@pytest.mark.parametrize("scale", [1.0, 0.45, 0.13])
@pytest.mark.parametrize("rotation", [0.0, 17.0, 90.0, -90.0, 180.0, -133.3])
def test_a_photographs_point_lies_where_the_frame_says(
    rotation: float, scale: float, step: int
) -> None:
    y, x = np.mgrid[:400, :480] + 0.5
    wanted = np.array([20.0, 31.0])
    side = 48
    point = turn(-rotation) @ (wanted - side / 2) / scale + MIDDLE
    spread = 2 / scale
    blob = 255 * np.exp(-((x * 1.0 - point[0]) ** 2 + (y - point[1]) ** 2) / 2 / spread**2)
    if step > 1:  # where it lies in the photograph that is `step` times larger
        point, big = point * step, tuple(one * step for one in MIDDLE)
        cut = Frame((0, 0, 1, 1), (big[0], big[1]), rotation, scale / step, side)
    else:
        cut = frame(rotation, scale, side)
    pixels = np.asarray(cut.taken(Image.fromarray(blob.astype(np.uint8)), step), np.float64)
    rows, columns = np.mgrid[:side, :side] + 0.5
    found = [(pixels * columns).sum() / pixels.sum(), (pixels * rows).sum() / pixels.sum()]
    assert np.allclose(found, wanted, atol=0.6 if scale == 1 else 0.3)


@pytest.mark.parametrize("scale", [0.8, 0.5, 0.2])
@pytest.mark.parametrize("frequency", [0.1, 0.25, 0.4])
def test_turning_costs_no_sharpness(scale: float, frequency: float) -> None:
    straight = contrast(frame(0, scale).taken(grating(frequency, 0, scale)), frequency)
    for rotation in (1.5, 40.0, 90.0):
        turned = frame(rotation, scale).taken(grating(frequency, rotation, scale))
        assert contrast(turned, frequency) > 0.95 * straight > 0.65


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
@pytest.mark.parametrize("degrees", [90.0, 180.0, -90.0])
def test_a_quarter_turn_loses_nothing(mode: str, degrees: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (100, 140, 4), dtype=np.uint8)
    photo = Image.fromarray(pixels).convert(mode)
    mask = np.zeros((100, 140), bool)
    mask[20:81, 30:120] = True
    upright = Frame.around(mask).taken(photo)
    lying = photo.rotate(-degrees, expand=True)
    turned = np.rot90(mask, -round(degrees / 90))
    found = Frame.around(turned, degrees).taken(lying)
    assert np.asarray(Frame.around(mask).taken(photo)).shape == np.asarray(found).shape
    inner = np.s_[2:-2, 2:-2]  # one pixel of margin may lie on the other side
    shifts = [
        np.roll(np.asarray(found), (i, j), (0, 1))[inner] for i in (-1, 0, 1) for j in (-1, 0, 1)
    ]
    assert any(np.array_equal(one, np.asarray(upright)[inner]) for one in shifts)


def test_what_is_transparent_does_not_mix_in() -> None:
    pixels = np.full((120, 160, 4), (255, 0, 255, 0), np.uint8)
    pixels[30:90, 40:120] = (20, 90, 40, 255)
    soft = Image.fromarray(pixels[..., 3]).filter(ImageFilter.GaussianBlur(0.8))
    pixels[..., 3], mask = np.asarray(soft), np.asarray(soft) > 127
    pixels[np.asarray(soft) > 0, :3] = (20, 90, 40)
    for rotation in (0.0, 33.0):
        for step in (1, 2):
            cut = np.asarray(
                Frame.around(mask, rotation, step).taken(Image.fromarray(pixels), step)
            )
            seen = cut[..., 3] > 40
            assert seen.any()
            assert np.abs(cut[seen][:, :3].astype(int) - (20, 90, 40)).max() < 12


@pytest.mark.parametrize("rotation", [0.0, 30.0, 90.0, -71.0, 180.0])
def test_the_turned_specimen_lies_in_the_middle_with_its_margin(rotation: float) -> None:
    mask = np.zeros((600, 900), bool)
    mask[100:220, 40:700] = True
    mask[100:400, 40:90] = True
    found = Frame.around(mask, rotation)
    assert found.box == (40, 100, 660, 300)
    alpha = np.asarray(found.taken(Image.fromarray(mask).convert("L"))) > 127
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    assert rows[0] + rows[-1] + 1 == pytest.approx(LARGEST_PX, abs=2)
    assert columns[0] + columns[-1] + 1 == pytest.approx(LARGEST_PX, abs=2)
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    assert longer / LARGEST_PX == pytest.approx(0.92, abs=0.015)


def test_a_mask_found_on_a_reduced_photograph_gives_a_box_within_the_photograph() -> None:
    mask = np.ones((38, 50), bool)
    assert Frame.around(mask, 0.0, 8, (397, 301)).box == (0, 0, 397, 301)


def test_small_specimens_are_not_enlarged() -> None:
    mask = np.zeros((90, 90), bool)
    mask[10:30, 10:31] = True
    for rotation in (0.0, 12.0):
        found = Frame.around(mask, rotation)
        assert found.scale == 1
        assert 21 / 0.92 <= found.side <= 30


def test_the_rim_takes_the_colour_of_the_inside() -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[5:35, 5:35] = (255, 255, 255, 128)
    pixels[6:34, 6:34] = (200, 200, 200, 255)
    pixels[7:33, 7:33] = (90, 20, 20, 255)
    fixed = np.asarray(without_fringe(Image.fromarray(pixels)))
    assert np.array_equal(fixed[..., 3], pixels[..., 3])
    assert (fixed[6:34, 6:34, :3] == (90, 20, 20)).all()


def test_shapes_of_simple_masks() -> None:
    mask = np.zeros((30, 40), dtype=bool)
    mask[5:15, 10:30] = True
    assert solidity(mask) == pytest.approx(1)
    assert not touches_border(mask)
    mask[5:25, 10:20] = True
    assert solidity(mask) == pytest.approx(300 / 350)
    mask[:, 15] = True
    assert touches_border(mask)
