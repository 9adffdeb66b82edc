from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from butterflies.collection.judgements import judge
from butterflies.scores.masks import iou
from butterflies.segmentation.annotator import ranking
from butterflies.segmentation.annotator.backgrounds import classes, describe
from butterflies.segmentation.annotator.grow import grow
from butterflies.segmentation.annotator.ranking import measure, rank, score, spread
from tests.annotators import Darkness, darkness, unlabelled
from tests.specimens import Pixels, photograph, wings

__all__ = ["darkness"]

MODEL: Any = Darkness()


def sure(**changes: float) -> dict[str, float]:
    usual = {"disagreement": 0.0, "entropy": 0.1, "components": 1, "area": 0.3, "solidity": 0.8}
    return usual | changes


def scored(**odd: float) -> float:
    """The score of one photograph among nine sure ones of its genus."""
    rows = {f"a{n}": sure(area=0.3 + n / 1000) for n in range(9)} | {"odd": sure(**odd)}
    return score(rows, dict.fromkeys(rows, "Papilio"))["odd"]


@pytest.mark.parametrize(
    "worse",
    [
        {"disagreement": 0.5},
        {"entropy": 0.6},
        {"components": 3},
        {"area": 0.02},
        {"solidity": 0.4},
        {"components": 0, "area": 0.0},
    ],
)
def test_every_mark_makes_a_photograph_less_certain(worse: dict[str, float]) -> None:
    assert 0 <= scored() < scored(**worse) <= 1


def test_shapes_are_odd_for_their_genus_only() -> None:
    rows = {f"a{n}": sure(area=0.1) for n in range(9)} | {f"b{n}": sure() for n in range(9)}
    genera = {key: key[0] for key in rows} | {"b0": "a"}
    scores = score(rows, genera)
    assert scores["b0"] > scores["b1"] == scores["a1"]


def test_turned_views_come_back_to_their_place() -> None:
    """A segmenter that looks at each pixel alone agrees with itself, whatever the turn."""
    found = measure(MODEL, Image.fromarray(photograph(wings())))
    assert found["disagreement"] == 0
    assert found["components"] == 1
    assert found["area"] == pytest.approx(wings().mean(), rel=0.2)


def test_unsure_and_scattered_predictions_measure_so() -> None:
    mask = wings()
    dim = np.where(mask[..., None], 118, 140).astype(np.uint8).repeat(3, axis=2)
    noise = np.random.default_rng(0).integers(0, 255, (*mask.shape, 3), dtype=np.uint8)
    clear, unsure, scattered = (
        measure(MODEL, Image.fromarray(pixels)) for pixels in (photograph(mask), dim, noise)
    )
    assert unsure["entropy"] > clear["entropy"] + 0.2
    assert scattered["components"] > 1
    nothing = measure(MODEL, Image.new("RGB", (96, 64), "white"))
    assert (nothing["disagreement"], nothing["entropy"], nothing["area"]) == (1, 1, 0)


def test_uncertain_photographs_come_first(darkness: Path) -> None:
    place = unlabelled(Path("c"), 8, masks=2)
    judge(place, "a02", "bad", "Ada")
    pixels = np.asarray(Image.open(place / "photos/a06.png")).astype(float)
    Image.fromarray((110 + pixels / 8).astype(np.uint8)).save(place / "photos/a06.png")
    order = rank(place, darkness)
    assert sorted(order) == ["a03", "a04", "a05", "a06", "a07"]
    assert order[0] == "a06"
    assert set(rank(place, darkness, ["a00", "a05"])) == {"a00", "a05"}


def test_what_was_measured_is_not_measured_again(
    darkness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = unlabelled(Path("c"), 6)
    monkeypatch.setattr("butterflies.segmentation.annotator.measures.PART", 2)
    seen: list[Image.Image] = []
    most = 3

    def counted(model: Any, photo: Image.Image) -> dict[str, float]:
        if len(seen) == most:
            raise KeyboardInterrupt
        seen.append(photo)
        return measure(model, photo)

    monkeypatch.setattr(ranking, "measure", counted)
    with pytest.raises(KeyboardInterrupt):
        rank(place, darkness)
    seen.clear()
    most = 99
    order = rank(place, darkness)
    assert len(seen) == 4, "the part of two that was finished is kept"
    assert rank(place, darkness) == order
    Image.fromarray(photograph(wings(seed=9))).save(place / "photos/a01.png")
    rank(place, darkness)
    assert len(seen) == 5, "a photograph that changed is measured anew"
    darkness.write_bytes(b"another")
    rank(place, darkness)
    assert len(seen) == 11, "another segmenter has a table of its own"


def test_a_photograph_that_cannot_be_read_is_left_out(darkness: Path) -> None:
    place = unlabelled(Path("c"), 4)
    (place / "photos/a01.png").unlink()
    assert sorted(rank(place, darkness)) == ["a00", "a02", "a03"]


def test_the_next_ten_are_not_ten_of_a_kind() -> None:
    order = [f"p{n:02d}" for n in range(40)] + [f"m{n:02d}" for n in range(10)]
    chosen = spread(order, {key: [key[0]] for key in order})
    assert sorted(chosen) == sorted(order)
    assert sum(key.startswith("m") for key in chosen[:10]) == 5
    for letter in "pm":
        alike = [key for key in chosen if key.startswith(letter)]
        assert alike == sorted(alike), "those of a kind keep their order"


def test_without_kinds_the_order_stays() -> None:
    order = list("hgfedcba")
    assert spread(order, {key: [] for key in order}) == order


def ground(red: int, green: int, blue: int, grain: float = 1) -> dict[str, float]:
    noise = np.random.default_rng(red).normal(0, grain, (90, 120, 1))
    pixels: Pixels = (np.array([red, green, blue]) + noise).clip(0, 255).astype(np.uint8)
    pixels[30:60, 40:80] = 0
    return describe(Image.fromarray(pixels))


def test_backgrounds_are_classes_with_names() -> None:
    described = {f"w{n}": ground(240 - n, 238, 236) for n in range(5)}
    described |= {f"d{n}": ground(40 + n, 41, 42) for n in range(5)}
    described |= {f"b{n}": ground(150 + n, 110, 60, grain=60) for n in range(5)}
    found = classes(described)
    assert {found[f"w{n}"] for n in range(5)} == {"light grey"}
    assert {found[f"d{n}"] for n in range(5)} == {"dark grey"}
    assert all("brown, textured" in found[f"b{n}"] for n in range(5))
    assert classes(dict(reversed(described.items()))) == found
    assert classes({}) == {}


@pytest.mark.parametrize("steps", [-5, 5])
def test_an_outline_nearby_moves_to_the_edge(steps: int) -> None:
    truth = wings(360, 480, seed=3)
    photo = photograph(truth, 3, grain=6)
    change = ndimage.binary_dilation if steps > 0 else ndimage.binary_erosion
    drawn = change(truth, iterations=abs(steps))
    grown = grow(photo, drawn)
    assert iou(grown, truth) > 0.97 > 0.94 > iou(drawn, truth)


def test_growing_leaves_alone_what_it_cannot_judge() -> None:
    photo = photograph(wings())
    for mask in (np.zeros_like(wings()), np.ones_like(wings())):
        assert (grow(photo, mask) == mask).all()
    thread = np.zeros_like(wings())
    thread[10:30, 5] = True
    assert (grow(photo, thread) == thread).all()
