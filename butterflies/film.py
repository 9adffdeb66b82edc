"""Short films: animated WebPs, which every browser shows."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from butterflies.files import writing

STEP_MS, HOLD_MS = 50, 1500


def write_film(path: Path, pictures: Sequence[Image.Image], first_ms: int = STEP_MS) -> None:
    """Writes pictures of one size as a film that starts anew for ever, after a pause.

    Args:
        path: of the WebP.
        pictures: in their order, at least one.
        first_ms: for how long the first is shown.
    """
    times = [first_ms, *[STEP_MS] * (len(pictures) - 2), HOLD_MS][: len(pictures)]
    with writing(path) as temporary:
        pictures[0].save(
            temporary,
            "WEBP",
            save_all=True,
            append_images=pictures[1:],
            duration=times,
            loop=0,
            quality=70,
            method=3,
        )
