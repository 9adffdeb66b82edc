from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageSequence

from butterflies.mapping.spread import spread
from butterflies.rendering.animation import animate, in_between
from butterflies.rendering.plots import plot_all
from butterflies.rendering.spritefiles import SpriteFiles
from butterflies.scatter import MOST_NAMED, OTHER, UNKNOWN, groups, scatter
from butterflies.segmentation.store import CutoutStore
from tests.cutout_sets import blob, write_cutouts


def colours(path: Path) -> int:
    """How many there are."""
    with Image.open(path) as image:
        return len(image.convert("RGB").getcolors(1_000_000) or [])


def test_every_value_is_counted_once_and_the_frequent_are_named() -> None:
    values = [f"genus{n}" for n in range(30) for _ in range(40 - n)] + [None] * 5
    found = groups(values)
    assert [group.label for group in found[:2]] == ["genus0", "genus1"]
    assert [group.label for group in found[MOST_NAMED:]] == ["10 others", "not recorded"]
    assert [group.colour for group in found[MOST_NAMED:]] == [OTHER, UNKNOWN]
    assert (np.sum([group.members for group in found], axis=0) == 1).all()
    looks = [(group.colour, group.marker) for group in found]
    assert len(set(looks)) == len(looks)


def test_plots_show_y_downwards() -> None:
    xy = np.array([[0.0, 0.0]] * 20 + [[0.0, 9.0]] * 20)
    plot = scatter(xy, ["Up"] * 20 + ["Down"] * 20, "By genus", "40 specimens")
    pixels = plot.astype(int)[:, : plot.shape[1] * 3 // 4]
    up, down = ((np.abs(pixels - c).sum(axis=2) < 40).nonzero()[0] for c in _first_two())
    assert len(up) > 50
    assert len(down) > 50
    assert max(up.mean(), down.mean()) - min(up.mean(), down.mean()) > 300
    assert up.mean() > down.mean()  # "Down" ranks first by name, so its colour is the first


def _first_two() -> tuple[tuple[int, ...], tuple[int, ...]]:
    first, second = (g.colour for g in groups(["a", "b"]))
    to_rgb = [tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in (first, second)]
    return to_rgb[0], to_rgb[1]


def test_all_columns_are_plotted_even_when_nothing_is_recorded(tmp_path: Path) -> None:
    records = pa.table(
        {
            "assetID": ["b", "a"],
            "genus": ["$Papilio$", "Graphium"],
            "family": ["Papilionidae", "Papilionidae"],
            "sex": pa.array([None, None], pa.string()),
        }
    )
    plot_all(tmp_path, ["a", "b", "c"], np.zeros((3, 2)), records)
    for name in ("genus", "family", "sex"):
        assert colours(tmp_path / f"{name}.png") > 20


@pytest.mark.parametrize("n", [1, 12])
def test_the_animation_moves_pictures_apart(tmp_path: Path, n: int) -> None:
    pictures = {f"b{number:02d}": blob(number) for number in range(n)}
    collection = write_cutouts(tmp_path / "collection", pictures)
    store = CutoutStore(collection)
    sprites = SpriteFiles(tmp_path / "sprites", store, store.ids, 32).make(workers=1)
    _, frames = spread(np.random.default_rng(0).normal(size=(n, 2)), 3 * sprites.rooms, 1024)
    animate(tmp_path / "spread.webp", frames, sprites)
    with Image.open(tmp_path / "spread.webp") as film:
        shown = [
            np.asarray(frame.convert("L")).astype(int) for frame in ImageSequence.Iterator(film)
        ]
    assert shown[0].min() < 200
    assert (tmp_path / "spread.webp").stat().st_size < 3_000_000
    if n > 1:
        assert np.abs(shown[0] - shown[-1]).max() > 50


def test_frames_in_between_start_and_end_where_the_points_do() -> None:
    frames = [np.array([[float(v), 0.0]], np.float32) for v in (0, 10, 10, 11)]
    between = in_between(frames, 9)
    path = [float(points[0, 0]) for points in between]
    assert path[0] == 0
    assert path[-1] == 11
    assert path == sorted(path)
