"""Pictures of codes show what they say they do."""

from pathlib import Path

import numpy as np
import pytest
import torch

from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.data import Cutouts
from butterflies.encoding.labels import Label
from butterflies.encoding.looks import ASKED, STEPS, Directions, fixed, looks
from butterflies.encoding.seen import Gallery, Seen
from butterflies.encoding.showing import (
    CAPTION_PX,
    GAP_PX,
    LARGE_PX,
    SMALL_PX,
    WRONG,
    Shown,
    neighbours_sheet,
    traversals_sheet,
    worst_sheet,
)
from butterflies.sheet import EDGE_PX, HEAD_PX, Pixels, Sheet, font, shortened
from tests.cutout_sets import blob, write_cutouts

RANDOM = np.random.default_rng(0)
STEP = SMALL_PX + GAP_PX


def plain(colour: int, side: int = 128) -> Pixels:
    return np.full((side, side, 3), colour, np.uint8)


def cell(sheet: Pixels, x: int, y: int, side: int) -> Pixels:
    left, top = EDGE_PX + x, HEAD_PX + y
    return sheet[top : top + side, left : left + side]


def inked(part: Pixels, colour: str) -> int:
    """Pixels of a caption that are nearly of a colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(part.astype(int) - wanted).max(axis=2) < 40).sum())


def test_neighbours_stand_beside_the_specimen_asked_and_other_genera_in_orange() -> None:
    mine, other = Label("s", "Morpho", "Morpho y"), Label("t", "Pieris", "Pieris z")
    rows = [
        [Shown(plain(n * 10 + place), other if place == 2 else mine) for place in range(9)]
        for n in range(10)
    ]
    sheet = neighbours_sheet(rows)
    block = 9 * STEP + 2 * GAP_PX
    line = SMALL_PX + CAPTION_PX
    assert sheet.shape == (HEAD_PX + 8 * line + EDGE_PX, 2 * block + 40 + 2 * EDGE_PX, 3)
    for number, place in ((0, 0), (0, 8), (7, 3), (9, 1)):
        x = number // 8 * (block + 40) + place * STEP + 2 * GAP_PX * (place > 0)
        y = number % 8 * line
        assert (cell(sheet, x, y, SMALL_PX) == number * 10 + place).all()
    captions = [
        cell(sheet, 2 * GAP_PX + place * STEP, SMALL_PX, STEP)[:CAPTION_PX] for place in (1, 2)
    ]
    assert inked(captions[0], WRONG) == 0
    assert inked(captions[1], WRONG) > 20


def test_a_walk_is_a_row_and_the_mean_its_middle() -> None:
    pictures = np.stack(
        [np.stack([plain(row * 20 + column) for column in range(9)]) for row in range(3)]
    )
    sheet = traversals_sheet(pictures, STEPS, [0.5, 0.3, 0.2])
    assert (cell(sheet, 76 + 4 * STEP, 26 + 2 * STEP, SMALL_PX) == 44).all()
    assert (cell(sheet, 76 + 8 * STEP, 26, SMALL_PX) == 8).all()
    margin = sheet[HEAD_PX + 26 :, EDGE_PX : EDGE_PX + 70]
    assert [(margin[row * STEP : (row + 1) * STEP] < 200).any() for row in range(3)] == [True] * 3


def test_the_worst_stand_over_their_reconstructions() -> None:
    shown = [Shown(plain(n), Label("s", "Morpho")) for n in range(4)]
    again = np.stack([plain(100 + n) for n in range(4)])
    sheet = worst_sheet(shown, again, [0.4, 0.3, 0.2, 0.1], ["a", "b", "c", "d" * 90])
    for n in range(4):
        x = n * (LARGE_PX + GAP_PX)
        assert (cell(sheet, x, 0, LARGE_PX) == n).all()
        assert (cell(sheet, x, LARGE_PX, LARGE_PX) == 100 + n).all()
        assert (cell(sheet, x, 2 * LARGE_PX, 78) < 200).any()
    assert (sheet[HEAD_PX + 2 * LARGE_PX :, EDGE_PX + 4 * (LARGE_PX + GAP_PX) :] == 255).all()


def test_directions_are_those_of_the_largest_variance() -> None:
    codes = (RANDOM.standard_normal((400, 5)) * [1, 4, 0.1, 2, 0.1] + 3).astype(np.float32)
    found = Directions(codes)
    assert np.abs(found.axes[:2, [1, 3]]).diagonal() == pytest.approx([1, 1], abs=0.02)
    assert found.deviations[:3] == pytest.approx([4, 2, 1], rel=0.1)
    assert found.shares.sum() == pytest.approx(1)
    walks = found.walks()
    assert walks.shape == (5, 9, 5)
    assert np.allclose(walks[:, 4], codes.mean(0), atol=1e-4)
    assert np.allclose(
        np.linalg.norm(walks[:, 8] - walks[:, 0], axis=1), 4 * found.deviations, rtol=1e-3
    )
    plane = found.plane(codes)
    assert plane.std(axis=0) == pytest.approx(found.deviations[:2], rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 4), (5, 1), (3, 3)])
def test_a_few_codes_have_a_plane_too(shape: tuple[int, int]) -> None:
    codes = RANDOM.standard_normal(shape).astype(np.float32)
    plane = Directions(codes).plane(codes)
    assert plane.shape == (shape[0], 2)
    assert np.isfinite(plane).all()


def test_those_asked_are_fixed_and_of_many_genera_and_specimens() -> None:
    labels = [Label(f"s{n % 8}", "Papilio") for n in range(80)]
    labels += [Label(f"t{n}", f"Genus{n}") for n in range(10)]
    chosen = fixed(labels)
    assert chosen == fixed(labels)
    assert len({labels[n].specimen for n in chosen}) == ASKED
    assert {labels[n].genus for n in chosen} == {label.genus for label in labels}


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    collection = write_cutouts(tmp_path / "blobs", {f"b{n:02d}": blob(n) for n in range(40)})
    data = Cutouts(str(collection))
    data.setup()
    return Gallery(data)


@torch.no_grad()
def test_a_model_is_shown_by_its_own_codes(gallery: Gallery) -> None:
    torch.manual_seed(0)
    model = Autoencoder(6, width=4).eval()
    torch.nn.init.normal_(model.encoder.components.weight, std=0.01)
    known, asked = (gallery.see(model, gallery.rows[part]) for part in ("train", "validation"))
    shown = dict(looks(gallery, model, known, asked))
    assert list(shown) == ["neighbours", "traversals", "worst", "scatter"]
    pictures = gallery.white(asked.rows, model.device)
    errors = (model(pictures) - pictures).abs().mean((1, 2, 3))
    worst = (pictures[int(errors.argmax())] * 255).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(cell(shown["worst"], 0, 0, 128), worst)
    again = (model(pictures[[int(errors.argmax())]])[0] * 255).permute(1, 2, 0).numpy()
    assert np.abs(cell(shown["worst"], 0, 128, 128) - again).max() <= 1
    first = asked.rows[fixed(asked.labels)[0]]
    nearest = _nearest_other(known, asked, int(first))
    pair = gallery.white(np.array([first, nearest]), model.device)
    for picture, x in zip(pair, (0, STEP + 2 * GAP_PX), strict=True):
        found = cell(shown["neighbours"], x, 0, SMALL_PX).mean((0, 1))
        assert found == pytest.approx(255 * picture.mean((1, 2)).numpy(), abs=2)


def _nearest_other(known: Seen, asked: Seen, row: int) -> int:
    everyone = known.joined(asked)
    code = everyone.codes[everyone.rows == row]
    apart = np.linalg.norm(everyone.codes - code, axis=1)
    apart[everyone.rows == row] = np.inf
    return int(everyone.rows[apart.argmin()])


def test_a_sheet_is_as_wide_as_its_title_and_texts_are_cut_to_fit() -> None:
    sheet = Sheet("A title that is longer than the pictures", "short", 10, 10).pixels
    assert (sheet[:, -EDGE_PX:] == 255).all()
    assert (sheet[:HEAD_PX, -EDGE_PX - 40 :] < 128).any()
    letters = font(12)
    assert shortened("Papilio", 100, letters) == "Papilio"
    cut = shortened("a\n" * 90, 100, letters)
    assert letters.getlength(cut) <= 100
    assert cut.startswith("a a")
    assert cut.count("…") == 1
