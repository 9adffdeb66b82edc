import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from butterflies.errors import UserError
from butterflies.rendering.canvas import WHITE, blend, canvas, shrink, to_bytes
from butterflies.rendering.encode import Encoder
from butterflies.rendering.layers import Placed
from butterflies.rendering.sprites import Shadow, diameter, picture, sprite
from butterflies.segmentation.store import CutoutStore
from tests.cutout_sets import blob
from tests.worlds import MAP, PX, TILE, ZOOM, Tiles, World, contents, make_world, stitched


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def written(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tiles]:
    folder = tmp_path_factory.mktemp("written")
    return folder / "tiles", world.write(folder)


def test_tiles_have_no_seams(world: World, written: tuple[Path, Tiles]) -> None:
    base = world.base
    drawn = [
        (world.sprites.read(int(n)), int(x), int(y))
        for n, (x, y) in zip(base.numbers, base.centres, strict=True)
    ]
    whole = to_bytes(blend(WHITE, canvas(drawn, 0, 0, MAP, MAP)))
    assert np.array_equal(stitched(written[0], ZOOM), whole)


def test_the_deepest_zoom_draws_the_stored_cutouts(
    world: World, written: tuple[Path, Tiles]
) -> None:
    store = CutoutStore(world.collection)
    base = world.base
    drawn = [
        (sprite(picture(store.image(store.ids[n]), 2 * PX), 2 * room, Shadow()), *centre.tolist())
        for n, room, centre in zip(base.numbers, base.rooms, 2 * base.centres, strict=True)
    ]
    whole = to_bytes(blend(WHITE, canvas(drawn, 0, 0, 2 * MAP, 2 * MAP)))
    found = stitched(written[0], ZOOM + 1)
    assert np.array_equal(found, whole)
    x, y = 2 * base.centres[7]
    opaque = store.image(store.ids[7])[32, 32]
    assert np.abs(found[y, x].astype(int) - opaque[:3]).max() <= 2


def test_blending_agrees_with_an_independent_composition(
    world: World, written: tuple[Path, Tiles]
) -> None:
    """Float arithmetic: all shadows darken the white, then each picture goes over."""
    whole = np.full((MAP, MAP, 3), 255.0)
    for layer in ("shadow", "picture"):
        for n, (x, y) in zip(world.base.numbers, world.base.centres, strict=True):
            patch = getattr(world.sprites.read(int(n)), layer).astype(float)
            half = len(patch) // 2
            area = np.s_[y - half : y - half + len(patch), x - half : x - half + len(patch)]
            if layer == "shadow":
                whole[area] *= np.exp(-patch / 256)[..., None]
            else:
                whole[area] = whole[area] * (1 - patch[..., 3:] / 255) + patch[..., :3]
    assert np.abs(stitched(written[0], ZOOM) - whole).max() < 1


@pytest.mark.parametrize("zoom", range(ZOOM))
def test_a_parent_equals_its_four_children_shrunk(written: tuple[Path, Tiles], zoom: int) -> None:
    children = stitched(written[0], zoom + 1).astype(float)
    mean = (
        children[::2, ::2] + children[1::2, ::2] + children[::2, 1::2] + children[1::2, 1::2]
    ) / 4
    assert np.abs(stitched(written[0], zoom) - mean).max() <= 1


def test_shrinking_does_not_drift() -> None:
    """Five zooms up, a pixel is still the mean of all that lie below it."""
    pixels = (np.random.default_rng(0).integers(0, 256, (64, 64, 3)) * 256).astype(np.uint16)
    mean = pixels.reshape(2, 32, 2, 32, 3).mean(axis=(1, 3)) / 256
    for _ in range(5):
        pixels = shrink(pixels)
    assert np.abs(to_bytes(pixels) - mean).max() <= 0.51


def test_only_tiles_that_show_something_are_written(written: tuple[Path, Tiles]) -> None:
    folder, tiles = written
    files = {
        (int(f.parent.parent.name), int(f.parent.name), int(f.stem)): f
        for f in folder.glob("*/*/*.png")
    }
    assert set(files) == {(z, x, y) for z, cells in tiles.items() for x, y in cells}
    assert set(tiles) == set(range(ZOOM + 2))
    assert 0 < len(tiles[ZOOM + 1]) < 4 ** (ZOOM + 1)
    for file in files.values():
        tile = Image.open(file)
        assert (tile.mode, tile.size) == ("RGB", (TILE, TILE))
        assert np.asarray(tile).min() < 255


def test_every_picture_is_there(world: World, written: tuple[Path, Tiles]) -> None:
    whole = stitched(written[0], ZOOM)
    for n, (x, y) in zip(world.base.numbers, world.base.centres, strict=True):
        colour = blob(int(n))[32, 32, :3].astype(int)
        assert np.abs(whole[y, x] - colour).max() <= 3


def test_shadows_lie_below_all_pictures(world: World) -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[8:56, 8:56] = [255, 255, 255, 255]
    made = sprite(picture(rgba, PX), 100, Shadow())
    pixels = to_bytes(blend(WHITE, canvas([(made, 40, 40), (made, 65, 40)], 0, 0, 96, 96)))
    assert (pixels[32:48, 32:48] == 255).all()
    assert (pixels[32:48, 57:73] == 255).all()
    assert pixels[40, 52].max() < 250


def test_the_order_of_specimens_does_not_matter(world: World, tmp_path: Path) -> None:
    turned = world.base.take(np.arange(40)[::-1])
    world.written(world.at(tmp_path / "a"))
    world.written(world.at(tmp_path / "b"), turned)
    assert contents(tmp_path / "a" / "tiles") == contents(tmp_path / "b" / "tiles")


def test_workers_and_block_sizes_give_the_same_bytes(
    world: World, written: tuple[Path, Tiles], tmp_path: Path
) -> None:
    world.written(world.at(tmp_path / "two"), workers=2)
    world.write(tmp_path / "one block", block_px=4096)
    assert contents(tmp_path / "two" / "tiles") == contents(written[0])
    assert contents(tmp_path / "one block" / "tiles") == contents(written[0])


def test_what_a_killed_run_left_is_used_and_completed(
    world: World, written: tuple[Path, Tiles], tmp_path: Path
) -> None:
    world.write(tmp_path)
    blocks = sorted((tmp_path / "work").glob("*-*.json"))
    kept = {block: block.stat().st_mtime_ns for block in blocks[1::2]}
    for lost in blocks[::2]:
        for name in json.loads(lost.read_text())["tiles"]:
            (tmp_path / "tiles" / f"{name}.png").unlink()
        if not lost.name.startswith("crisp"):
            lost.with_suffix(".npz").write_bytes(b"half")
        lost.unlink()
    (tmp_path / "tiles" / "0" / "0" / ".0.png.123.tmp").write_bytes(b"half")
    assert world.write(tmp_path) == written[1]
    assert contents(tmp_path / "tiles") == contents(written[0])
    assert {block: block.stat().st_mtime_ns for block in kept} == kept


KILLED = """
import sys
from pathlib import Path
from tests.worlds import make_world
world = make_world(Path(sys.argv[1]))
print("ready", flush=True)
world.write(Path(sys.argv[2]))
print("done", flush=True)
"""


@pytest.mark.parametrize("blocks", [1, 6])
def test_a_run_killed_at_any_moment_gives_the_same_bytes(
    written: tuple[Path, Tiles], tmp_path: Path, blocks: int
) -> None:
    out = tmp_path / "out"
    root = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "world"), str(out)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, cwd=root) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        while len(list((out / "work").glob("*-*.json"))) < blocks and run.poll() is None:
            time.sleep(0.001)
        run.send_signal(signal.SIGKILL)
        killed = run.wait() == -signal.SIGKILL
    assert killed
    assert make_world(tmp_path / "world").write(out) == written[1]
    assert contents(out / "tiles") == contents(written[0])


def test_representatives_lie_above_and_are_not_shrunk(
    world: World, written: tuple[Path, Tiles], tmp_path: Path
) -> None:
    above = {1: Placed(np.array([3]), np.array([[64, 60]]), np.array([40.0]), np.array([40]))}
    tiles = world.write(tmp_path, above)
    assert tiles[1] >= written[1][1]
    changed = stitched(tmp_path / "tiles", 1)
    x, y = 64, 60
    assert np.abs(changed[y, x].astype(int) - blob(3)[32, 32, :3]).max() <= 4
    for zoom in (0, 2, ZOOM, ZOOM + 1):
        assert np.array_equal(stitched(tmp_path / "tiles", zoom), stitched(written[0], zoom))


def test_a_representative_alone_on_a_blank_tile_is_drawn(world: World, tmp_path: Path) -> None:
    one = world.base.take(np.array([0]))
    corner = Placed(np.array([0]), np.array([[500, 20]]), np.array([40.0]), np.array([40]))
    tiles = world.written(world.at(tmp_path), one, {ZOOM: corner}).tiles
    assert (7, 0) in tiles[ZOOM]


@pytest.mark.parametrize(("format", "kind"), [("webp", "WEBP"), ("jpg", "JPEG")])
def test_other_formats_look_the_same(
    world: World, written: tuple[Path, Tiles], tmp_path: Path, format: str, kind: str
) -> None:
    tiles = world.write(tmp_path, encoder=Encoder(format, 80))
    assert tiles == written[1]
    with Image.open(tmp_path / "tiles" / "0" / "0" / f"0.{format}") as tile:
        assert (tile.format, tile.mode) == (kind, "RGB")
        off = np.asarray(tile).astype(float) - stitched(written[0], 0)
    assert np.sqrt((off**2).mean()) < 12


@pytest.mark.parametrize("encoder", [Encoder("gif"), Encoder(quality=0), Encoder(quality=101)])
def test_unknown_formats_and_qualities_are_refused(encoder: Encoder) -> None:
    with pytest.raises(UserError, match=r"format=gif|quality="):
        encoder.check()


def test_the_diameter_holds_all_that_is_seen() -> None:
    rgba = np.zeros((32, 32, 4), np.uint8)
    assert diameter(rgba) == 0
    rgba[16, 28, 3] = 127
    assert diameter(rgba) == 0
    rgba[16, 24, 3] = 128
    assert diameter(rgba) == pytest.approx(2 * np.hypot(9, 1))


def test_a_picture_of_any_shape_keeps_its_middle_and_proportions() -> None:
    rgba = np.zeros((20, 60, 4), np.uint8)
    rgba[..., 1:] = [100, 0, 255]
    made = picture(rgba, PX)
    rows, columns = np.nonzero(made[..., 3] > 127)
    assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == pytest.approx((32, 11), abs=1)
    assert rows.mean() == pytest.approx(15.5, abs=0.6)
    assert (made[..., :3] <= made[..., 3:]).all()
