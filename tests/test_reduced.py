"""Large JPEGs are decoded small; every number stays in photograph pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from butterflies.collection.photos import open_photo, open_reduced, probe
from butterflies.collection.records import table_of, write_records
from butterflies.segmentation import parts
from butterflies.segmentation.cutouts import CutoutSettings, run
from butterflies.segmentation.store import CutoutStore
from butterflies.tables import ok_rows
from tests.specimens import Pixels, collection, photograph, record, wings


def scene(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Smooth colours, so that it looks alike at every size."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(1600, 1200), (1597, 1203)])
def test_a_turned_jpeg_decoded_small_is_the_large_one_made_small(
    tmp_path: Path, orientation: int, size: tuple[int, int]
) -> None:
    image = scene(size)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    whole, small = open_photo(tmp_path / "a.jpg"), open_reduced(tmp_path / "a.jpg", 390)
    assert small.size == whole.size
    assert small.step == (4 if size[0] % 4 == 0 or orientation == 1 else 1)
    wanted = np.asarray(whole.reduce(small.step), int)
    assert small.image.size == wanted.shape[1::-1]
    assert np.abs(wanted - np.asarray(small.image))[2:-2, 2:-2].mean() < 1


@pytest.mark.parametrize(
    ("least", "step"), [(1600, 1), (801, 1), (800, 2), (401, 2), (200, 8), (1, 8), (None, 1)]
)
def test_the_longer_side_keeps_what_was_asked_for(
    tmp_path: Path, least: int | None, step: int
) -> None:
    scene((1200, 1600)).save(tmp_path / "a.jpg")
    found = open_reduced(tmp_path / "a.jpg", least)
    assert (found.step, max(found.image.size)) == (step, 1600 // step)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_other_formats_are_decoded_whole(tmp_path: Path, suffix: str) -> None:
    picture = scene((640, 480)).convert("RGBA")
    picture.putpixel((3, 3), (0, 0, 0, 0))
    picture.save(tmp_path / f"a.{suffix}")
    found = open_reduced(tmp_path / f"a.{suffix}", 16)
    assert (found.step, found.image.size, found.image.mode) == (1, (640, 480), "RGBA")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_a_turned_picture_of_any_format_has_the_size_it_shows(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = scene((64, 48))
    image.save(tmp_path / f"a.{suffix}", exif=exif, lossless=True)
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    found, wanted = open_reduced(tmp_path / f"a.{suffix}", None), open_photo(tmp_path / "a.jpg")
    assert found.size == found.image.size == wanted.size
    assert np.abs(np.asarray(found.image, int) - np.asarray(wanted, int)).mean() < 4
    seen = probe(tmp_path / f"a.{suffix}")
    assert (seen.width, seen.height) == wanted.size


def test_a_grey_and_a_cmyk_jpeg_come_out_in_rgb(tmp_path: Path) -> None:
    for mode in ("L", "CMYK"):
        scene((800, 600)).convert(mode).save(tmp_path / "a.jpg")
        found = open_reduced(tmp_path / "a.jpg", 100)
        assert (found.image.mode, found.image.size, found.step) == ("RGB", (100, 75), 8)


def jpegs(folder: Path, pictures: dict[str, Pixels]) -> Path:
    collection(folder, {})
    rows = []
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(folder / "photos" / f"{name}.png", "JPEG", quality=95)
        rows.append(record(folder, name))
    write_records(folder, table_of(rows))
    return folder


def both(tmp_path: Path, pixels: Pixels, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Row and picture of a photograph decoded small, and of the same decoded whole."""
    made = []
    for name in ("small", "whole"):
        if name == "whole":
            monkeypatch.setattr(parts, "_least_px", lambda part: None)
        folder = jpegs(tmp_path / name, {"a": pixels})
        run(CutoutSettings(str(folder), "contrast", workers=1, upright=False))
        cutouts = CutoutStore(folder)
        made.append((ok_rows(cutouts.table)[0], cutouts.image("a")))
    return made


def on_white(picture: Pixels) -> Pixels:
    alpha = picture[..., 3:] / 255
    return np.asarray(picture[..., :3] * alpha + 255 * (1 - alpha))


@pytest.mark.parametrize(("height", "again"), [(1500, False), (900, True)])
def test_a_large_photograph_gives_the_same_row_and_picture_as_decoded_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, height: int, again: bool
) -> None:
    """Of the smaller specimen the cut-out has more detail than was decoded for its mask."""
    monkeypatch.setattr(parts, "_CONTRAST_PX", 640)
    mask = wings(height, height)
    texture = np.random.default_rng(0).integers(20, 120, (height // 12, height // 12, 3), np.uint8)
    dark = np.asarray(Image.fromarray(texture).resize((height, height), Image.Resampling.BICUBIC))
    pixels = np.full((2000, 2640, 3), 238, np.uint8)
    place = np.s_[300 : 300 + height, 800 : 800 + height]
    pixels[place][mask] = dark[mask]
    (row, picture), (wanted, expected) = both(tmp_path, pixels, monkeypatch)
    assert (row["scale"] * 4 > 1) == again
    assert picture.shape == expected.shape
    for name in ("box_x", "box_y", "box_w", "box_h", "centre_x", "centre_y"):
        assert row[name] == pytest.approx(wanted[name], abs=6), name
    assert row["scale"] == pytest.approx(wanted["scale"], rel=0.01)
    assert np.abs(on_white(picture) - on_white(expected)).mean() < 4
    sharp = [np.abs(np.diff(on_white(one), axis=1)).mean() for one in (picture, expected)]
    assert sharp[0] > 0.95 * sharp[1]


def test_kept_masks_have_the_photographs_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_CONTRAST_PX", 640)
    folder = jpegs(tmp_path / "c", {"a": photograph(wings(990, 1350))})
    run(CutoutSettings(str(folder), "contrast", workers=1, keep_masks=str(tmp_path / "m")))
    with Image.open(tmp_path / "m/a.png") as mask:
        assert mask.size == (1350, 990)
        found = np.asarray(mask) > 127
    truth = wings(990, 1350)
    assert np.count_nonzero(found & truth) / np.count_nonzero(found | truth) > 0.98
