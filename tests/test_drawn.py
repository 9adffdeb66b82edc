"""Drawn specimens: what they promise to the demo and to other tests."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from butterflies.collection.drawing.specimen import CLEAN, NOISY
from butterflies.collection.drawn import COLUMNS, Drawn, draw, draw_one, record_one

FRAMES = 100


@pytest.fixture(scope="module")
def frames() -> list[Drawn]:
    """The first drawn frames of seed 0, made by two processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(draw_one, range(FRAMES), chunksize=5))


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_gives_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    alone = _files(draw(tmp_path / "alone", 6, seed=3, workers=1))
    together = _files(draw(tmp_path / "together", 6, seed=3, workers=2))
    assert len(alone) == 13
    assert alone == together


def test_another_seed_gives_other_specimens() -> None:
    assert record_one(0, seed=0)["assetID"] != record_one(0, seed=1)["assetID"]
    assert not np.array_equal(draw_one(0, seed=0).photo, draw_one(0, seed=1).photo)


def test_finished_pictures_are_kept_and_missing_ones_drawn_again(tmp_path: Path) -> None:
    folder = draw(tmp_path, 2, workers=1)
    first, second = sorted((folder / "photos").iterdir())
    before = second.read_bytes()
    first.write_bytes(b"kept")
    second.unlink()
    draw(folder, 2, workers=1)
    assert first.read_bytes() == b"kept"
    assert second.read_bytes() == before


def test_files_match_the_records(tmp_path: Path) -> None:
    folder = draw(tmp_path, 3, workers=1)
    with (folder / "records.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [record_one(number) for number in range(3)]
    for row in rows:
        with Image.open(folder / "photos" / f"{row['assetID']}.jpg") as photo:
            assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (480, 360))
        with Image.open(folder / "masks" / f"{row['assetID']}.png") as mask:
            assert (mask.mode, mask.size) == ("L", (480, 360))


def test_masks_are_exact_and_clear_of_the_frame(frames: list[Drawn]) -> None:
    for frame in frames:
        assert frame.photo.shape == (360, 480, 3)
        assert frame.mask.shape == (360, 480)
        assert set(np.unique(frame.mask)) == {0, 255}
        assert 0.03 < (frame.mask > 0).mean() < 0.4
        edge = (frame.mask[[0, -1]], frame.mask[:, [0, -1]])
        assert not any(side.any() for side in edge)


def test_specimens_fill_a_third_to_three_quarters_of_the_height(frames: list[Drawn]) -> None:
    heights = [np.ptp(np.nonzero(frame.mask.any(axis=1))[0]) / 360 for frame in frames]
    assert min(heights) > 0.2  # one that lost its hindwings may be flat
    assert max(heights) < 0.76
    assert np.ptp(heights) > 0.25


def test_records_hold_darwin_core() -> None:
    records = [record_one(number) for number in range(300)]
    for record in records:
        assert tuple(record) == COLUMNS
        assert record["rightsHolder"] == "drawn by butterflies"
        assert record["license"] == "CC0-1.0"
        assert record["sex"] in {"male", "female", ""}
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", record["assetID"])
        assert bool(record["month"]) >= bool(record["day"])
        assert bool(record["year"]) >= bool(record["month"])
    assert len({record["assetID"].lower() for record in records}) == 300
    assert len({record["sex"] for record in records}) == 3


def test_the_record_needs_no_drawing(frames: list[Drawn]) -> None:
    assert [frame.record for frame in frames[:9]] == [record_one(number) for number in range(9)]


def test_taxa_are_many_and_unequal() -> None:
    records = [record_one(number) for number in range(300)]
    found: dict[str, set[str]] = defaultdict(set)
    families: dict[str, set[str]] = defaultdict(set)
    for record in records:
        found[record["genus"]].add(record["specificEpithet"])
        families[record["genus"]].add(record["family"])
    counts = Counter(record["genus"] for record in records)
    assert len(found) >= 12
    assert min(len(epithets) for epithets in found.values()) >= 2
    assert all(len(names) == 1 for names in families.values())
    assert len(set().union(*families.values())) in {3, 4}
    assert max(counts.values()) > 4 * min(counts.values())


def _nearest_share(colours: np.ndarray, genera: list[str]) -> float:
    """The share of frames whose five nearest others by colour vote for their genus."""
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    votes = [Counter(genera[i] for i in np.argsort(row)[:5]).most_common(1)[0][0] for row in apart]
    return float(np.mean([vote == genus for vote, genus in zip(votes, genera, strict=True)]))


def test_mean_colour_does_not_tell_genera_apart(frames: list[Drawn]) -> None:
    genera = [frame.record["genus"] for frame in frames]
    wings = np.array([frame.photo[frame.mask > 0].mean(axis=0) for frame in frames])
    wholes = np.array([frame.photo.mean(axis=(0, 1)) for frame in frames])
    assert _nearest_share(wings, genera) <= 0.5
    assert _nearest_share(wholes, genera) <= 0.5


def _iou_by_contrast(frame: Drawn) -> float:
    """IoU of the true mask with a plain threshold on the difference from the border's colour."""
    photo = frame.photo.astype(float)
    border = np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]])
    found = np.abs(photo - np.median(border, axis=0)).max(axis=2) > 32
    true = frame.mask > 0
    return float((found & true).sum() / (found | true).sum())


def test_contrast_separates_clean_frames_and_fails_on_noisy_ones(frames: list[Drawn]) -> None:
    scores: dict[str, list[float]] = defaultdict(list)
    for frame in frames:
        scores[frame.record["project"]].append(_iou_by_contrast(frame))
    assert 0.08 < len(scores[CLEAN]) / FRAMES < 0.26
    assert np.median(scores[CLEAN]) > 0.9
    assert min(scores[CLEAN]) > 0.75
    assert np.median(scores[NOISY]) < 0.8
