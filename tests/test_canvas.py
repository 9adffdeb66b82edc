from typing import Any

import numpy as np

from butterflies.rendering.canvas import canvas
from butterflies.rendering.sprites import Sprite


def sprite(colour: int, alpha: int, px: int = 8) -> Sprite:
    picture = np.empty((px, px, 4), np.uint8)
    picture[..., :3], picture[..., 3] = colour * alpha // 255, alpha
    return Sprite(picture, np.zeros((px, px), np.uint8))


def drawn(*placed: tuple[Sprite, int, int]) -> Any:
    return canvas(placed, 0, 0, 32, 32).pictures


def test_the_later_of_two_that_overlap_lies_above() -> None:
    light, dark = sprite(200, 255), sprite(40, 255)
    pixels = drawn((light, 10, 10), (dark, 14, 10))
    assert (pixels[10, 6:10] == [200, 200, 200, 255]).all()
    assert (pixels[10, 10:18] == [40, 40, 40, 255]).all()
    assert (drawn((dark, 14, 10), (light, 10, 10))[10, 6:14, 0] == 200).all()


def test_what_is_half_clear_lets_half_through() -> None:
    pixels = drawn((sprite(200, 255), 10, 10), (sprite(40, 128), 10, 10))
    assert abs(int(pixels[10, 10, 0]) - 120) <= 1
    assert pixels[10, 10, 3] == 255


def test_clear_corners_of_pictures_hide_nothing() -> None:
    round_ = sprite(90, 255)
    round_.picture[:4, :4] = 0
    pixels = drawn((sprite(200, 255), 10, 10), (round_, 14, 14))
    assert (pixels[10:14, 10:14, 0] == 200).all()
    assert (pixels[14:18, 10:18, 0] == 90).all()
