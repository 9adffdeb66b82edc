from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from butterflies.collection.drawn import draw_backdrop
from butterflies.collection.judgements import judge
from butterflies.errors import UserError
from butterflies.scores.masks import iou
from butterflies.segmentation.augment import _shaded, augment, pasted
from butterflies.segmentation.crops import Crops, EpochOrder
from butterflies.segmentation.data import MaskedPhotographs
from butterflies.segmentation.pasting import take_apart
from tests.specimens import collection, masked_collection, photograph, wings

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def data(folder: Path, **changes: Any) -> MaskedPhotographs:
    return MaskedPhotographs(
        str(folder), **{"batch_size": 4, "crop_px": 64, "repeats": 1, **changes}
    )


def pair(size: int = 160, seed: int = 0, background: int = 235) -> tuple[Image.Image, Image.Image]:
    truth = wings(size, size, seed)
    photo = Image.fromarray(photograph(truth, seed, background))
    return photo, Image.fromarray(truth.astype(np.uint8) * 255)


def test_the_split_is_by_specimen_and_complete(tmp_path: Path) -> None:
    parts = data(masked_collection(tmp_path / "c", 20, (24, 32))).rows()
    ids = [row["assetID"] for part in parts.values() for row in part]
    assert len(ids) == len(set(ids)) == 20
    everything = data(tmp_path / "c", split="all").rows()
    assert len(everything["train"]) == 20
    assert not everything["test"], "nothing is left that has not been trained on"


def test_too_few_masks_are_refused(tmp_path: Path) -> None:
    photo = photograph(wings())
    with pytest.raises(UserError, match="0 photographs with masks"):
        data(collection(tmp_path / "c", {"a": photo})).fingerprint()


def test_the_fingerprint_follows_masks_and_not_the_place(tmp_path: Path) -> None:
    ours = data(masked_collection(tmp_path / "a", 12, (24, 32))).fingerprint()
    same = data(masked_collection(tmp_path / "b", 12, (24, 32)))
    assert same.fingerprint() == ours
    Image.fromarray(wings(24, 32, seed=99)).save(tmp_path / "b/masks/a01.png")
    assert same.fingerprint() != ours


def test_an_epoch_follows_from_its_seed_and_number(tmp_path: Path) -> None:
    folder = masked_collection(tmp_path / "c", 12, (48, 64))

    def epoch(number: int, seed: int = 0) -> torch.Tensor:
        photographs = data(folder, seed=seed, crop_px=32)
        photographs.setup()
        loader = photographs.train_dataloader()
        assert isinstance(loader.sampler, EpochOrder)
        loader.sampler.set_epoch(number)
        return torch.cat([batch["photo"] for batch in loader])

    assert torch.equal(epoch(3), epoch(3))
    assert not torch.equal(epoch(3), epoch(4))
    assert not torch.equal(epoch(3), epoch(3, seed=1))


def test_some_views_show_the_background_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("butterflies.segmentation.augment.BARE", 1.0)
    truth = np.zeros((200, 200), dtype=bool)
    truth[20:60, 20:60] = True
    photo, mask = Image.new("RGB", (200, 200)), Image.fromarray(truth.astype(np.uint8) * 255)
    for seed in range(10):
        assert not augment(photo, mask, 64, np.random.default_rng(seed))[1].any()


def test_photograph_and_mask_are_augmented_alike() -> None:
    truth = wings(96, 128)
    photo = Image.fromarray(np.where(truth[..., None], 255, 0).astype(np.uint8).repeat(3, axis=2))
    mask = Image.fromarray(truth.astype(np.uint8) * 255)
    for seed in range(10):
        seen, moved = augment(photo, mask, 64, np.random.default_rng(seed))
        bright = seen.mean(axis=2) > seen.mean(axis=2).max() / 2
        agree = np.mean(bright == (moved > 0))
        assert seen.shape == (64, 64, 3)
        assert agree > 0.9 or not moved.any()


def test_a_photograph_is_taken_apart_into_what_it_shows() -> None:
    photo, mask = pair(background=200)
    layers = take_apart(photo, mask)
    again = Image.composite(layers.specimen, layers.ground, layers.alpha)
    inside = np.asarray(mask) > 127
    assert np.abs(np.asarray(again, int) - np.asarray(photo))[inside].mean() < 12
    ground = np.asarray(layers.ground, int)
    assert np.abs(ground - 200).max() < 15, "nothing of the specimen is left in the background"
    assert np.asarray(layers.specimen)[~inside].mean() < 150, "its colours go on beyond its edge"


def test_a_photograph_full_of_specimen_has_a_background_all_the_same() -> None:
    white = Image.new("L", (40, 30), 255)
    assert take_apart(Image.new("RGB", (40, 30)), white).ground.size == (40, 30)


def test_a_pasted_specimen_is_where_its_mask_says() -> None:
    photo, mask = pair()
    ground = Image.new("RGB", (200, 120), (20, 220, 20))
    agreements = []
    for seed in range(12):
        random = np.random.default_rng(seed)
        seen, moved = pasted(take_apart(photo, mask), ground, 64, random)
        green = seen[..., 1].astype(int) - seen[..., [0, 2]].mean(axis=2)
        assert seen.shape == (64, 64, 3)
        if 0.05 < moved.mean() < 0.9:
            edge = (np.median(green[moved > 0]) + np.median(green[moved == 0])) / 2
            agreements.append(iou(green < edge, moved > 0))
    assert len(agreements) > 4
    assert np.median(agreements) > 0.9


def test_pasting_shows_the_grounds_of_others_and_the_backdrops() -> None:
    pairs = [(f"a{n}", *pair(seed=n, background=40)) for n in range(3)]
    red = Image.new("RGB", (64, 64), (255, 0, 0))
    crops = Crops(pairs, 32, paste=1.0, backdrops=[red] * 30)
    views = [crops[(n % 3, 0, n)]["photo"].float().mean((1, 2)) for n in range(12)]
    reddish = [bool(v[0] > 1.5 * v[2]) for v in views]
    assert sum(reddish) > 6


def test_backdrops_differ_and_come_again() -> None:
    first = draw_backdrop(3)
    assert first.shape == (360, 480, 3)
    assert np.array_equal(first, draw_backdrop(3))
    assert not np.array_equal(first, draw_backdrop(4))


def mixed_backgrounds(folder: Path, by_hand: int) -> Path:
    """Twenty photographs, half of them on clean backgrounds; the first ones have hand masks."""
    masks = {f"a{n:02d}": wings(96, 128, n) for n in range(20)}
    grain = {key: 1.0 if n % 2 else 60.0 for n, key in enumerate(masks)}
    pictures = {
        key: photograph(mask, n, grain=grain[key]) for n, (key, mask) in enumerate(masks.items())
    }
    return collection(folder, pictures, dict(list(masks.items())[:by_hand]))


def test_masks_by_contrast_are_free(tmp_path: Path) -> None:
    folder = mixed_backgrounds(tmp_path / "c", by_hand=0)
    photographs = data(folder, taught_by="contrast", backdrops=1)
    photographs.setup()
    taught = {key: (photo, mask) for key, photo, mask in photographs.pairs["train"]}
    assert taught
    assert all(int(key[1:]) % 2 for key in taught), "noisy backgrounds are refused"
    for key, (_, mask) in taught.items():
        assert iou(np.asarray(mask) > 127, wings(96, 128, int(key[1:]))) > 0.95
    batch = next(iter(photographs.train_dataloader()))
    assert batch["photo"].shape[1:] == (3, 64, 64)


def test_hand_masks_judge_what_contrast_has_taught(tmp_path: Path) -> None:
    folder = mixed_backgrounds(tmp_path / "c", by_hand=20)
    by_hand, alone, both = (data(folder, taught_by=who) for who in ("hand", "contrast", "both"))
    for photographs in (by_hand, alone, both):
        photographs.setup()
    assert alone.pairs["validation"] == both.pairs["validation"] == by_hand.pairs["validation"]
    seen = {key for key, _, _ in alone.pairs["train"]}
    assert seen < {key for key, _, _ in by_hand.pairs["train"]}
    assert len(both.pairs["train"]) == len(by_hand.pairs["train"]), "a hand mask goes first"
    assert alone.fingerprint() != by_hand.fingerprint()


def test_what_somebody_has_judged_is_not_taught_by_contrast(tmp_path: Path) -> None:
    folder = mixed_backgrounds(tmp_path / "c", by_hand=0)
    Image.fromarray(np.zeros((96, 128), bool)).save(folder / "masks/a07.png")
    judge(folder, "a05", "bad", "me")
    judge(folder, "a07", "no_specimen", "me")
    judge(folder, "a09", "no_specimen", "me")
    for who in ("contrast", "both"):
        photographs = data(folder, taught_by=who)
        rows = photographs.untold(photographs.rows()).values()
        assert not {row["assetID"] for part in rows for row in part} & {"a05", "a07", "a09"}


def test_a_mask_that_teaches_nothing_changes_no_fingerprint(tmp_path: Path) -> None:
    photographs = data(mixed_backgrounds(tmp_path / "c", by_hand=0), taught_by="contrast")
    before, row = photographs.fingerprint(), photographs.untold(photographs.rows())["train"][0]
    mask = Image.fromarray(wings(96, 128))
    mask.save(tmp_path / "c/masks" / f"{row['assetID']}.png")
    assert photographs.fingerprint() == before
    (tmp_path / "c" / row["photo"]).write_bytes(b"another photograph")
    assert photographs.fingerprint() != before


def test_a_photograph_that_is_gone_is_named(tmp_path: Path) -> None:
    folder = masked_collection(tmp_path / "c", 12, (24, 32))
    (folder / "photos/a03.png").unlink()
    with pytest.raises(UserError, match=r"a03\.png, which has a mask"):
        data(folder).setup()


def test_nothing_clean_means_nothing_taught(tmp_path: Path) -> None:
    noise = {f"a{n:02d}": photograph(wings(64, 64, n), n, grain=80) for n in range(12)}
    with pytest.raises(UserError, match="0 photographs with masks by contrast"):
        data(collection(tmp_path / "c", noise), taught_by="contrast").setup()


def test_an_unknown_teacher_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="hand, contrast, both"):
        data(tmp_path, taught_by="chance")


def test_views_are_the_same_whoever_prepares_them(tmp_path: Path) -> None:
    folder = masked_collection(tmp_path / "c", 12, (48, 64))

    def epoch(workers: int) -> torch.Tensor:
        photographs = data(folder, crop_px=32, workers=workers)
        photographs.setup()
        return torch.cat([batch["photo"] for batch in photographs.train_dataloader()])

    assert torch.equal(epoch(0), epoch(2))


def test_the_shadow_falls_to_one_side_only() -> None:
    photo, mask = pair()
    left = take_apart(photo.crop((60, 0, 160, 160)), mask.crop((60, 0, 160, 160)))
    ground = Image.new("RGB", (100, 160), "white")
    for seed in range(30):
        random = np.random.default_rng(seed)
        shaded = np.asarray(_shaded(ground, left.alpha, random))
        assert shaded[:, -6:].min() > 250, "nothing comes round to the other side"
