"""From photograph to cut-out: upright, without a halo, with scores that are right."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from butterflies.collection.drawn import draw_one
from butterflies.collection.records import read_records, write_records
from butterflies.collection.values import view_of
from butterflies.segmentation import parts
from butterflies.segmentation.cutouts import CutoutSettings, run
from butterflies.segmentation.orientation import NOTHING, Orientation
from butterflies.segmentation.ruler import Scale
from butterflies.segmentation.store import CutoutStore, read_cutouts
from butterflies.tables import ok_rows
from tests.specimens import Mask, Pixels, collection, photograph, wings

NUMBERS = (1, 4, 8)  # 4 is half a degree from upright, which is left as it is


@lru_cache
def drawn(number: int) -> Image.Image:
    """A drawn specimen on nothing, RGBA."""
    found = draw_one(number, seed=3)
    picture = Image.fromarray(found.photo)
    picture.putalpha(Image.fromarray(found.mask))
    return picture


def turned(picture: Image.Image, angle: float) -> Pixels:
    """Counter-clockwise, in a frame large enough for all of it."""
    return np.asarray(picture.rotate(angle, Image.Resampling.BICUBIC, expand=True))


def cut(folder: Path, pictures: dict[str, Pixels], segmenter: str = "alpha", **changes: Any) -> Any:
    """Rows and pictures by assetID."""
    run(CutoutSettings(str(collection(folder, pictures)), segmenter, workers=1, **changes))
    cutouts = CutoutStore(folder)
    return {row["assetID"]: (row, cutouts.image(row["assetID"])) for row in ok_rows(cutouts.table)}


def on_white(picture: Pixels) -> Pixels:
    alpha = picture[..., 3:] / 255
    return np.asarray(picture[..., :3] * alpha + 255 * (1 - alpha))


def between(first: float, second: float) -> float:
    return abs((first - second + 180) % 360 - 180)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_cutout_of_a_turned_photograph_is_that_of_the_upright_one(
    tmp_path: Path, number: int
) -> None:
    angles = {f"t{k}": angle for k, angle in enumerate((0, 25, -52, 90, 133, 180, -90))}
    made = cut(tmp_path / "c", {n: turned(drawn(number), a) for n, a in angles.items()})
    row, expected = made["t0"]
    for name, angle in angles.items():
        found, picture = made[name]
        assert between(found["rotation"] + angle, row["rotation"]) < 2
        assert found["rotation_confidence"] > 0.8
        assert abs(len(picture) - len(expected)) <= 3
        size = expected.shape[1], expected.shape[0]
        same = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
        both = (same[..., 3] > 127) & (expected[..., 3] > 127)
        either = (same[..., 3] > 127) | (expected[..., 3] > 127)
        assert both.sum() / either.sum() > 0.93
        assert np.abs(on_white(same) - on_white(expected)).mean() < (11 if number == 4 else 4)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_cut_out_specimen_is_upright(tmp_path: Path, number: int) -> None:
    made = cut(tmp_path / "first", {"a": turned(drawn(number), 70)})
    assert abs(made["a"][0]["rotation"]) > 30
    again = cut(tmp_path / "again", {"a": made["a"][1]})
    assert abs(again["a"][0]["rotation"]) < 2


@pytest.mark.parametrize("angle", [0, 40, 90, -110])
def test_the_columns_lead_from_the_photograph_to_the_cutout(tmp_path: Path, angle: int) -> None:
    photo = turned(drawn(4), angle)
    row, picture = cut(tmp_path / "c", {"a": photo})["a"]
    side = len(picture)
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    cos, sin = np.cos(np.deg2rad(row["rotation"])), np.sin(np.deg2rad(row["rotation"]))
    across = (x * cos - y * sin) / row["scale"] + row["centre_x"]
    down = (x * sin + y * cos) / row["scale"] + row["centre_y"]
    inside = (across >= 0) & (across < photo.shape[1]) & (down >= 0) & (down < photo.shape[0])
    rows, columns = down.astype(int).clip(0, len(photo) - 1), across.astype(int)
    seen = photo[rows, columns.clip(0, photo.shape[1] - 1)] * inside[..., None]
    assert np.abs(on_white(seen) - on_white(picture)).mean() < 8
    wrong = (seen[..., 3] > 127) ^ (picture[..., 3] > 127)
    assert wrong.sum() < 0.04 * (seen[..., 3] > 127).sum()


def test_nothing_is_turned_that_need_not_be(tmp_path: Path) -> None:
    photo = turned(drawn(4), 70)
    row, _ = cut(tmp_path / "c", {"a": photo}, upright=False)["a"]
    assert row["rotation"] == 0
    assert row["rotation_confidence"] > 0.5, "it is known, though not applied"
    assert row["damage"] is not None
    assert row["asymmetry"] == pytest.approx(cut(tmp_path / "d", {"a": photo})["a"][0]["asymmetry"])


@pytest.mark.parametrize(
    ("found", "turn"),
    [
        ((20.0, 0.9), 20.0),
        ((20.0, 0.49), 0.0),
        ((-0.9, 1.0), 0.0),
        ((1.1, 1.0), 1.1),
        ((90.6, 1.0), 90.0),
        ((-89.2, 1.0), -90.0),
        ((-179.5, 1.0), 180.0),
        ((178.0, 1.0), 178.0),
        ((178.0, 0.9), -2.0),
        ((-150.0, 0.9), 30.0),
        ((-179.5, 0.9), 0.0),
        ((110.0, 0.9), 110.0),
    ],
)
def test_what_is_applied_is_sure_and_more_than_noise(
    found: tuple[float, float], turn: float
) -> None:
    assert Orientation(*found, 0.1, 0.1).turn == turn
    assert NOTHING.turn == 0


@pytest.mark.parametrize("colour", [(60, 20, 20), (20, 60, 30), (25, 25, 25)])
@pytest.mark.parametrize("ground", [(250, 250, 250), (205, 225, 250), (250, 225, 190)])
@pytest.mark.parametrize("angle", [0, 30])
def test_no_colour_of_the_background_is_left_at_the_edge(
    tmp_path: Path, colour: tuple[int, ...], ground: tuple[int, ...], angle: int
) -> None:
    alpha = np.asarray(drawn(8).getchannel("A").rotate(angle), np.float32)
    large = Image.fromarray(alpha).resize((960, 720), Image.Resampling.BICUBIC)
    share = np.asarray(large.resize((640, 480), Image.Resampling.BOX)).clip(0, 255)[..., None] / 255
    photo = (share * np.array(colour) + (1 - share) * np.array(ground)).round().astype(np.uint8)
    _, picture = cut(tmp_path / "c", {"a": photo}, "contrast")["a"]
    seen = picture[..., 3] > 60
    wrong = np.abs(picture[seen][:, :3].astype(int) - colour).mean(axis=1)
    assert wrong.mean() < 4
    assert np.quantile(wrong, 0.99) < 25


def test_scores_of_masks_at_the_edge_of_what_there_is(tmp_path: Path) -> None:
    def made(mask: Mask) -> Pixels:
        return np.dstack([np.full((*mask.shape, 3), 90, np.uint8), mask.astype(np.uint8) * 255])

    tiny, touching, holed, parted = (np.zeros((90, 120), bool) for _ in range(4))
    tiny[40:44, 50:61] = True
    touching[20:60, 90:] = True
    holed[20:60, 30:90] = True
    holed[35:45, 50:70] = False
    parted[20:60, 30:60], parted[20:60, 70:100] = True, True
    masks = {"tiny": tiny, "touching": touching, "holed": holed, "parted": parted}
    masks["whole"] = np.ones((90, 120), bool)
    masks["whole"][0, 0] = False
    rows = {
        k: row
        for k, (row, _) in cut(tmp_path / "c", {k: made(m) for k, m in masks.items()}).items()
    }
    for name, mask in masks.items():
        assert rows[name]["foreground_share"] == pytest.approx(mask.mean())
        assert rows[name]["touches_border"] == (name in ("touching", "whole"))
        assert rows[name]["components"] == (2 if name == "parted" else 1)
        assert rows[name]["confidence"] == 1
    assert rows["tiny"]["asymmetry"] is None
    assert rows["tiny"]["damage"] is None
    assert rows["tiny"]["solidity"] == pytest.approx(1)
    assert rows["holed"]["solidity"] == pytest.approx(1 - 200 / 2400)
    assert rows["parted"]["solidity"] == pytest.approx(60 / 70)
    assert rows["holed"]["asymmetry"] < 0.03


def test_a_lost_wing_is_told_and_closed_wings_are_not_turned(tmp_path: Path) -> None:
    whole = np.array(drawn(1))
    middle = int(np.median(np.nonzero(whole[..., 3])[1]))
    waist = int(np.median(np.nonzero(whole[..., 3])[0]))
    lost, half = whole.copy(), whole.copy()
    lost[:waist, : middle - 8, 3] = 0
    half[:, :middle, 3] = 0
    made = cut(tmp_path / "c", {"whole": whole, "lost": lost, "half": half})
    damage = {name: row["damage"] for name, (row, _) in made.items()}
    assert damage["lost"] > damage["whole"] + 0.3
    sure = made["half"][0]["rotation_confidence"] >= 0.5
    assert made["half"][0]["rotation"] == 0 or sure


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("dorsal", "dorsal"),
        ("Dorsal view", "dorsal"),
        ("D", "dorsal"),
        ("UPPERSIDE", "dorsal"),
        ("upper side", "dorsal"),
        ("ventral.", "ventral"),
        ("v", "ventral"),
        ("Underside", "ventral"),
        ("view from above", "dorsal"),
        ("dorsal_view", "dorsal"),
        ("dorsal; labels recto", "dorsal"),
        ("lateral", None),
        ("label verso", None),
        ("v. 2", None),
        ("left wing, under a microscope", None),
        ("dorsal and ventral", None),
        ("", None),
        (None, None),
    ],
)
def test_views_are_dorsal_or_ventral_or_not_said(text: str | None, view: str | None) -> None:
    assert view_of(text) == view


def test_the_view_of_the_record_is_in_the_table(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", {n: photograph(wings(seed=2)) for n in ("a", "b")})
    records = read_records(folder)
    views = {"a": "Ventral side", "b": None}
    rows = [{**row, "view": views[row["assetID"]]} for row in records.to_pylist()]
    write_records(folder, records.from_pylist(rows, records.schema))
    run(CutoutSettings(str(folder), "contrast", workers=1))
    assert read_cutouts(folder)["view"].to_pylist() == ["ventral", None]


def test_a_ruler_is_read_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stub(photo: Pixels, mask: Mask) -> Scale | None:
        assert photo.shape[:2] == mask.shape
        return Scale(0.125, 0.75) if photo[0, 0, 0] > 230 else None

    monkeypatch.setattr(parts, "find_scale", stub)
    pictures = {"a": photograph(wings()), "b": photograph(wings(), background=210)}
    pictures["a"][0, 0], pictures["b"][0, 0] = 240, 210
    made = cut(tmp_path / "c", pictures, "contrast", ruler=True)
    measured = {n: (row["mm_per_px"], row["mm_confidence"]) for n, (row, _) in made.items()}
    assert measured == {"a": (0.125, 0.75), "b": (None, None)}
    assert cut(tmp_path / "d", pictures, "contrast")["a"][0]["mm_per_px"] is None
