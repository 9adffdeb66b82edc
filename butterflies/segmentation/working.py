"""The size at which masks are found."""


def working_size(size: tuple[int, int], working_px: int) -> tuple[int, int]:
    """Width and height of a photograph whose longer side is at most `working_px`; never larger.

    >>> working_size((4000, 3000), 480), working_size((300, 200), 480)
    ((480, 360), (300, 200))
    """
    factor = min(1.0, working_px / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
