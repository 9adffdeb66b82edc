import os
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from butterflies.collection.records import table_of, write_records
from butterflies.collection.splits import split_of
from butterflies.encoding import cache
from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.cache import PictureCache, on_white, shrink
from butterflies.encoding.data import Batches, Cutouts, Pictures
from butterflies.errors import UserError
from tests.cutout_sets import blob, write_cutouts

IDS = [f"b{number:03d}" for number in range(40)]


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    return write_cutouts(tmp_path / "blobs", {i: blob(n) for n, i in enumerate(IDS)})


def test_shrinking_keeps_hidden_colours_out_of_the_edge() -> None:
    picture = np.zeros((200, 200, 4), np.uint8)
    picture[50:151, 50:151] = [200, 100, 50, 255]
    small = shrink(picture)
    assert small.shape == (4, 128, 128)
    seen = small[:3, small[3] > 20]
    assert np.abs(seen.astype(int) - np.array([[200], [100], [50]])).max() <= 8


def test_white_shows_through_where_alpha_is_low() -> None:
    pixels = torch.tensor([[100, 0, 0, 255], [100, 0, 0, 0], [0, 0, 0, 51]], dtype=torch.uint8)
    picture, alpha = on_white(pixels[:, :, None, None])
    expected = torch.tensor([[100 / 255, 0, 0], [1, 1, 1], [0.8, 0.8, 0.8]])
    assert torch.allclose(picture[:, :, 0, 0], expected, atol=1e-6)
    assert torch.allclose(alpha.flatten(), torch.tensor([1, 0, 0.2]))


def test_the_cache_holds_every_cutout_under_its_id(collection: Path) -> None:
    made = PictureCache(collection)
    assert made.ids == IDS
    assert made.pictures.shape == (40, 4, 128, 128)
    assert not made.pictures.flags.writeable
    for row in (0, 17, 39):
        assert np.array_equal(made.pictures[row], shrink(made.store.image(IDS[row])))


def test_the_cache_is_used_again(collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = np.array(PictureCache(collection).pictures)
    monkeypatch.setattr(cache, "shrink", None)
    assert np.array_equal(PictureCache(collection).pictures, first)


def test_the_cache_follows_the_cutouts(collection: Path) -> None:
    old = PictureCache(collection)
    write_cutouts(collection, {IDS[0]: blob(7)}, mark="other")
    new = PictureCache(collection)
    assert new.ids == IDS[:1]
    assert len(new.pictures) == 1
    assert not old.folder.exists()


def test_a_second_set_of_cutouts_keeps_its_own_cache(collection: Path) -> None:
    first = PictureCache(collection)
    os.rename(collection / "cutouts", collection / "cutouts-2")
    os.rename(collection / "cutouts.parquet", collection / "cutouts-2.parquet")
    write_cutouts(collection, {IDS[0]: blob(7)}, mark="other")
    second = PictureCache(collection, "cutouts-2")
    PictureCache(collection)
    assert second.folder.is_dir()
    assert not first.folder.exists()


def test_a_cache_left_half_made_is_made_anew(collection: Path) -> None:
    first = PictureCache(collection)
    (first.folder / "ids.json").unlink()
    (first.folder / "pictures.npy").write_bytes(b"")
    assert len(PictureCache(collection).pictures) == 40


def test_processes_make_the_same_cache(collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.array(PictureCache(collection).pictures)
    (PictureCache(collection).folder / "ids.json").unlink()
    monkeypatch.setattr(cache, "TASK", 7)
    assert np.array_equal(PictureCache(collection, workers=1).pictures, whole)


def test_without_an_ok_cutout_there_is_no_cache(tmp_path: Path) -> None:
    write_cutouts(tmp_path, {}, others={"a": ("no_specimen", "Nothing was found.")})
    with pytest.raises(UserError, match="no cut-out that is ok"):
        PictureCache(tmp_path)


def test_specimens_are_never_split(tmp_path: Path) -> None:
    specimens = {i: f"moth {n // 2}" for n, i in enumerate(IDS)}
    write_cutouts(tmp_path, {i: blob(n, 32) for n, i in enumerate(IDS)}, specimens)
    parts = Cutouts(str(tmp_path)).assets()
    assert sorted(chain(*parts.values())) == IDS
    for part, ids in parts.items():
        assert {split_of(specimens[i]) for i in ids} == {part}
    assert Cutouts(str(tmp_path), split_seed=1).assets() != parts
    assert Cutouts(str(tmp_path), split="all").assets()["train"] == IDS


def test_the_fingerprint_follows_what_is_trained_on(collection: Path) -> None:
    marks = [Cutouts(str(collection), split_seed=seed).fingerprint() for seed in (0, 0, 1)]
    write_cutouts(collection, {i: blob(n) for n, i in enumerate(IDS)}, mark="other")
    marks.append(Cutouts(str(collection)).fingerprint())
    assert marks[0] == marks[1]
    assert len(set(marks)) == 3


def test_withdrawn_photographs_are_not_trained_on(collection: Path) -> None:
    mark, gone = Cutouts(str(collection), split="all").fingerprint(), IDS[5]
    rows = [
        {"assetID": i, "specimen": i, "status": "withdrawn" if i == gone else "ok"} for i in IDS
    ]
    write_records(collection, table_of(rows))
    after = Cutouts(str(collection), split="all")
    assert gone not in set(chain(*after.assets().values()))
    assert len(after.assets()["train"]) == len(IDS) - 1
    assert after.fingerprint() != mark


def test_a_collection_without_cutouts_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`butterflies cutout` makes it"):
        Cutouts(str(tmp_path)).fingerprint()


def test_too_few_cutouts_are_told_in_a_sentence(tmp_path: Path) -> None:
    write_cutouts(tmp_path, {"a": blob(0), "b": blob(1)})
    with pytest.raises(UserError, match=r"2 cut-outs that are ok.*data\.split=all"):
        Cutouts(str(tmp_path)).setup()


def test_an_epoch_shows_each_row_once_in_an_order_of_its_own() -> None:
    rows = np.arange(10, 22)
    order = Batches(rows, 4, seed=0)
    epochs = []
    for epoch in (0, 1, 0):
        order.set_epoch(epoch)
        epochs.append([batch.tolist() for batch in order])
    assert epochs[0] == epochs[2] != epochs[1]
    assert all(sorted(chain(*batches)) == rows.tolist() for batches in epochs)


@pytest.mark.parametrize(("count", "sizes"), [(3, [3]), (8, [4, 4]), (9, [3, 3, 3]), (0, [])])
def test_validation_shows_all_rows_in_order(count: int, sizes: list[int]) -> None:
    order = Batches(np.arange(count), 4, seed=None)
    assert len(order) == len(sizes)
    assert [len(batch) for batch in order] == sizes
    assert np.concatenate([[], *order]).tolist() == list(range(count))


def test_a_pictures_key_follows_from_its_name_and_the_seed(collection: Path) -> None:
    rows = np.array([3, 8])
    whole, other = (Pictures(PictureCache(collection), seed)[rows]["key"] for seed in (0, 1))
    write_cutouts(collection, {IDS[8]: blob(7)}, mark="other")
    alone = Pictures(PictureCache(collection), 0)[np.array([0])]["key"]
    assert whole[1] == alone[0]
    assert whole[0] != whole[1] != other[1]


def test_pixels_are_taken_from_where_they_are_held(collection: Path) -> None:
    data = Cutouts(str(collection))
    data.setup()
    assert data.cache is not None
    (plain,) = list(data.val_dataloader())
    shown = data.on_after_batch_transfer(dict(plain), 0)
    data.held = torch.from_numpy(np.array(data.cache.pictures))
    (light,) = list(data.val_dataloader())
    assert "pixels" not in light
    assert torch.equal(data.on_after_batch_transfer(light, 0)["picture"], shown["picture"])


def trained(collection: Path, **options: Any) -> dict[str, Any]:
    pl.seed_everything(0, verbose=False)
    trainer = pl.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = Autoencoder(latent_dim=8, width=4)
    data = Cutouts(str(collection), batch_size=8, **options)
    trainer.fit(model, data)
    metrics = {**trainer.callback_metrics, **trainer.test(model, data, verbose=False)[0]}
    return {"state": model.state_dict(), "metrics": metrics}


def test_the_same_training_gives_the_same_model(collection: Path) -> None:
    first, second, other = (trained(collection, seed=seed) for seed in (0, 0, 1))
    assert set(first["metrics"]) == {
        "train/loss",
        "train/pixels",
        *(f"{stage}/{name}" for stage in ("val", "test") for name in ("loss", "l1", "psnr")),
    }
    assert all(map(torch.equal, first["state"].values(), second["state"].values()))
    assert not all(map(torch.equal, first["state"].values(), other["state"].values()))
