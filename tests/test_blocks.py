"""How a block is drawn: what is read and held, what a full disk leaves, other backgrounds."""

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from butterflies.rendering.canvas import WHITE, blend, canvas, strips, to_bytes
from butterflies.rendering.layers import Placed
from butterflies.rendering.spritefiles import Sprites
from butterflies.rendering.sprites import Bytes, Shadow, Sprite, picture, sprite
from tests.cutout_sets import blob
from tests.worlds import MAP, PX, ZOOM, Tiles, World, contents, make_world, stitched


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def written(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tiles]:
    folder = tmp_path_factory.mktemp("written")
    return folder / "tiles", world.write(folder)


def test_a_background_of_another_colour_shows_round_the_pictures(
    world: World, written: tuple[Path, Tiles], tmp_path: Path
) -> None:
    """On black, where shadows do not show."""
    tiles = world.write(tmp_path, background=(0, 0, 0))
    white = stitched(written[0], ZOOM)
    black = stitched(tmp_path / "tiles", ZOOM)
    drawn = np.zeros(black.shape[:2], bool)
    for x, y in tiles[ZOOM]:
        drawn[y * 64 : y * 64 + 64, x * 64 : x * 64 + 64] = True
    untouched = (white == 255).all(axis=2) & drawn
    assert untouched.any()
    assert (black[untouched] == 0).all()
    for n, (x, y) in zip(world.base.numbers, world.base.centres, strict=True):
        assert np.abs(black[y, x] - blob(int(n))[32, 32, :3].astype(int)).max() <= 3


def test_representatives_stand_clear_in_the_colour_of_the_background() -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[24:40, 24:40] = [200, 0, 0, 255]
    one = (sprite(picture(rgba, PX), 100, Shadow(), hazy=True), 48, 48)
    over = canvas([one], 0, 0, 96, 96, hazy=True)
    below = np.full((96, 96, 3), 77 * 256, np.uint16)
    shown = to_bytes(blend(below, over, np.array([0, 0, 65280], np.uint16))).astype(int)
    assert shown[2, 2].tolist() == [77, 77, 77]
    beside = shown[48, 42]
    assert beside[2] > 77 > beside[0]
    assert np.abs(shown[48, 48] - [200, 0, 0]).max() <= 1


def test_overlapping_pictures_have_no_seams_either(world: World, tmp_path: Path) -> None:
    """As with spread=none: the lower one lies above, and whole, in whichever tile it is drawn."""
    heap = 256 + np.random.default_rng(0).integers(-30, 30, (40, 2))
    base = replace(world.base, centres=heap)
    world.written(world.at(tmp_path), base)
    order = np.lexsort((heap[:, 0], heap[:, 1]))
    drawn = [(world.sprites.read(int(n)), *base.place(int(n))) for n in order]
    whole = to_bytes(blend(WHITE, canvas(drawn, 0, 0, MAP, MAP)))
    assert np.array_equal(stitched(tmp_path / "tiles", ZOOM), whole)
    last = int(order[-1])
    colour = blob(last)[32, 32, :3].astype(int)
    assert np.abs(whole[heap[last, 1], heap[last, 0]] - colour).max() <= 3


def test_a_thousand_shadows_on_one_spot_are_dark() -> None:
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[12:20, 12:20] = [0, 0, 0, 255]
    made = sprite(picture(rgba, PX), 100, Shadow())
    added = canvas([(made, 32, 32)] * 1000, 0, 0, 64, 64)
    assert added.shadows.max() > 60_000
    assert to_bytes(blend(WHITE, added))[34, 33].max() == 0


@pytest.mark.parametrize("method", ["read", "cutout"])
def test_each_picture_is_read_once_in_a_block(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """`read` gives the sprites of zoom Z, `cutout` the stored pictures of zoom Z + 1."""
    read: list[int] = []
    real = getattr(Sprites, method)

    def counted(self: Sprites, number: int) -> Sprite | Bytes:
        read.append(int(self.rows["row"][number]))
        found: Sprite | Bytes = real(self, number)
        return found

    monkeypatch.setattr(Sprites, method, counted)
    world.write(tmp_path, block_px=512)
    assert sorted(read) == list(range(40))


def test_few_sprites_are_held_at_a_time() -> None:
    """A column of 64 pictures: those that touch a strip are there while it is drawn."""
    made: list[int] = []
    column = Placed(
        np.arange(64),
        np.stack([np.full(64, 8), np.arange(64) * 16 + 8], axis=1),
        np.full(64, 16.0),
        np.full(64, 16),
    )

    def one(index: int) -> Sprite:
        made.append(index)
        return Sprite(np.zeros((16, 16, 4), np.uint8), np.zeros((24, 24), np.uint8))

    counts = [len(made) for _ in strips(column, one, 0, 0, 1024, 64)]
    assert len(counts) == 16
    assert counts[0] <= 6
    assert max(np.diff(counts)) <= 5
    assert sorted(made) == list(range(64))


def test_a_full_disk_leaves_a_pyramid_that_can_be_finished(
    world: World, written: tuple[Path, Tiles], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, real = [25], Path.write_bytes

    def filling(self: Path, data: bytes) -> int:
        room[0] -= 1
        if room[0] < 0:
            self.touch()
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, data)

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", filling)
        with pytest.raises(OSError, match="No space left") as caught:
            world.write(tmp_path)
    assert str(caught.value.filename).startswith(str(tmp_path))
    assert not list(tmp_path.rglob("*.tmp"))
    assert world.write(tmp_path) == written[1]
    assert contents(tmp_path / "tiles") == contents(written[0])


def test_blocks_of_another_size_left_by_a_stopped_run_do_no_harm(
    world: World, written: tuple[Path, Tiles], tmp_path: Path
) -> None:
    world.write(tmp_path, block_px=64)
    world.write(tmp_path, block_px=256)
    assert contents(tmp_path / "tiles") == contents(written[0])
