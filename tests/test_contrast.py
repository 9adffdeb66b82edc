from collections.abc import Callable

import numpy as np
import pytest

from butterflies.scores.masks import iou
from butterflies.segmentation.cleaning import clean, components
from butterflies.segmentation.contrast import CERTAIN, contrast_mask
from tests.specimens import Pixels, photograph, wings


@pytest.mark.parametrize("size", [(120, 160), (161, 119), (900, 1200)])
def test_cuts_clean_photographs(size: tuple[int, int]) -> None:
    truth = wings(*size)
    mask, confidence = contrast_mask(photograph(truth))
    assert confidence >= CERTAIN
    assert mask.shape == size
    assert iou(mask, truth) > 0.95


def test_a_soft_shadow_is_not_specimen() -> None:
    truth = wings(120, 160)
    shadow = np.roll(truth, (5, 7), axis=(0, 1)) & ~truth
    photo = photograph(truth).astype(float)
    photo[shadow] *= 0.85
    assert iou(contrast_mask(photo.astype(np.uint8))[0], truth) > 0.95


@pytest.mark.parametrize(
    "spoil",
    [
        lambda photo: photograph(wings(120, 160), background=90),
        lambda photo: photograph(wings(120, 160), grain=25),
        lambda photo: np.full_like(photo, 240),
        lambda photo: np.where(np.arange(160)[:, None] < 30, 20, photo),
        lambda photo: np.concatenate([photo[:100], np.full_like(photo[:20], 120)]),
    ],
    ids=["dark background", "noise", "nothing there", "a dark strip", "a ruler"],
)
def test_refuses_what_is_not_clean(spoil: Callable[[Pixels], Pixels]) -> None:
    photo = photograph(wings(120, 160))
    assert contrast_mask(spoil(photo).astype(np.uint8))[1] < CERTAIN


def test_cleaning_keeps_one_whole_specimen() -> None:
    mask = wings(120, 160)
    dirty = mask.copy()
    dirty[50:56, 74:78] = False  # a hole in the body
    dirty[5:15, 5:20] = True  # a label
    dirty[20:40, 70] |= True  # an antenna
    assert components(dirty) == 2
    cleaned = clean(dirty)
    assert components(cleaned) == 1
    assert iou(cleaned, mask) > 0.97
    assert not cleaned[5:15, 5:20].any()
    assert not cleaned[20:26, 70].any()


def test_a_thin_gap_does_not_cost_a_wing() -> None:
    mask = wings(120, 160)
    mask[:, 84] = False
    assert clean(mask)[:, 85:].any()
    assert clean(mask)[:, :84].any()


def test_nothing_stays_nothing() -> None:
    assert not clean(np.zeros((20, 30), dtype=bool)).any()
