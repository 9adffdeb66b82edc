from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image

from butterflies.collection.drawn import draw_one
from butterflies.errors import UserError
from butterflies.scores.masks import iou
from butterflies.segmentation.crops import EpochOrder, collate
from butterflies.segmentation.data import MaskedPhotographs
from butterflies.segmentation.predict import load_segmenter, predict
from butterflies.segmentation.segmenter import Segmenter
from butterflies.segmentation.unet import UNet
from tests.specimens import masked_collection, photograph, wings

Fitted = tuple[Path, MaskedPhotographs, pl.Trainer]


def trainer(folder: Path, epochs: int) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def data(folder: Path, **changes: Any) -> MaskedPhotographs:
    return MaskedPhotographs(
        str(folder), **{"batch_size": 4, "crop_px": 64, "repeats": 1, **changes}
    )


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """A small network after a real fit: its checkpoint, its data and its trainer."""
    place = tmp_path_factory.mktemp("fitted")
    photographs = data(masked_collection(place / "collection", 20))
    fit = trainer(place, 2)
    fit.fit(Segmenter(depth=2, width=4), photographs)
    fit.save_checkpoint(place / "best.ckpt")
    return place / "best.ckpt", photographs, fit


@pytest.mark.parametrize("size", [(64, 64), (57, 83), (5, 130)])
@pytest.mark.parametrize(("depth", "shrink"), [(1, 1), (4, 2)])
def test_any_size_goes_in_and_comes_out(size: tuple[int, int], depth: int, shrink: int) -> None:
    net = UNet(depth, width=4, shrink=shrink)
    logits = net(torch.rand(2, 3, *size))
    assert logits.shape == (2, 1, *size)
    torch.autograd.backward(logits.sum())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_depth_and_width_are_what_they_say() -> None:
    def count(net: torch.nn.Module) -> int:
        return sum(p.numel() for p in net.parameters())

    assert len(UNet(3, 4).down) == 4
    assert count(UNet(3, 8)) > 3 * count(UNet(3, 4))


def test_exposure_and_colour_cast_count_for_little() -> None:
    torch.manual_seed(0)
    net = UNet(depth=2, width=8).eval()
    photo = torch.from_numpy(draw_one(0).photo).permute(2, 0, 1)[None] / 255
    cast = torch.tensor([0.4, 0.3, 0.25]).view(1, 3, 1, 1)
    seen, dark, other = net(photo), net(photo * cast), net(photo.flip(3))
    assert (seen - dark).abs().mean() < 0.2 * (seen - other).abs().mean()


def test_a_black_photograph_is_no_trouble() -> None:
    assert UNet(depth=1, width=4)(torch.zeros(2, 3, 16, 16)).isfinite().all()


def test_overfits_eight_drawn_specimens() -> None:
    torch.manual_seed(0)
    drawn = [draw_one(number) for number in range(8)]
    photos = np.stack([d.photo[::4, ::4] for d in drawn]).transpose(0, 3, 1, 2)
    masks = np.stack([d.mask[::4, ::4] > 127 for d in drawn])[:, None]
    photo, mask = torch.from_numpy(photos), torch.from_numpy(masks)
    batch = {"photo": photo, "mask": mask, "size": torch.tensor([photo.shape[2:]] * 8)}
    model = Segmenter(depth=3)
    adam = torch.optim.Adam(model.parameters())
    for step in range(100):
        adam.param_groups[0]["lr"] = 0.01 * (1 - step / 100)
        adam.zero_grad()
        torch.autograd.backward(model.loss(model(photo), batch))
        adam.step()
    found = (model.eval()(photo) > 0).numpy()
    scores = [iou(*pair) for pair in zip(found[:, 0], masks[:, 0], strict=True)]
    assert np.mean(scores) > 0.9


def test_padding_does_not_count() -> None:
    model = Segmenter(depth=1, width=4)
    mask = torch.zeros(1, 1, 20, 30)
    batch = {"photo": mask, "mask": mask, "size": torch.tensor([[20, 20]])}
    logits = torch.full((1, 1, 20, 30), -9.0)
    spoilt = logits.clone()
    spoilt[..., 20:] = 9
    assert model.loss(logits, batch) == model.loss(spoilt, batch)


def test_a_mixed_batch_pads_at_right_and_below() -> None:
    sizes = [(4, 6), (6, 4)]
    samples = [
        {
            "photo": torch.randint(255, (3, *size), dtype=torch.uint8),
            "mask": torch.ones((1, *size), dtype=torch.uint8),
            "size": torch.tensor(size),
        }
        for size in sizes
    ]
    batch = collate(samples)
    assert batch["photo"].shape == (2, 3, 6, 6)
    assert torch.equal(batch["photo"][1, :, :, :4], samples[1]["photo"])
    assert not batch["photo"][1, :, :, 4:].any()
    assert batch["mask"].sum() == 48
    assert batch["size"].tolist() == [[4, 6], [6, 4]]


def test_a_checkpoint_opens_anywhere(fitted: Fitted) -> None:
    checkpoint, photographs, _ = fitted
    assert torch.load(checkpoint, weights_only=True)["hyper_parameters"]["width"] == 4
    again = Segmenter.load_from_checkpoint(checkpoint).eval()
    photo = photographs.pairs["train"][0][1]
    assert np.array_equal(
        predict(again, [photo])[0], predict(load_segmenter(checkpoint), [photo])[0]
    )


def test_the_scores_have_their_names(fitted: Fitted) -> None:
    _, photographs, fit = fitted
    metrics = set(fit.callback_metrics)
    assert {"train/loss", "val/loss", "val/iou", "val/dice"} <= metrics
    tested = fit.test(fit.lightning_module, photographs, verbose=False)[0]
    assert set(tested) == {"test/loss", "test/iou", "test/dice"}


def test_lightning_tells_the_order_which_epoch_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(EpochOrder, "set_epoch", lambda self, epoch: told.append(epoch))
    photographs = data(masked_collection(tmp_path / "c", 20, (48, 64)), crop_px=32)
    trainer(tmp_path, 3).fit(Segmenter(depth=1, width=4), photographs)
    assert sorted(set(told)) == [0, 1, 2]


def test_the_picture_shows_photographs_and_masks(fitted: Fitted) -> None:
    _, photographs, fit = fitted
    batch = next(iter(photographs.val_dataloader()))
    model = fit.lightning_module
    assert isinstance(model, Segmenter)
    name, picture = model.picture(batch)
    count = min(4, len(photographs.pairs["validation"]))
    assert name == "overlay"
    assert picture.shape == (count * 96, 2 * 128, 3)
    assert np.array_equal(picture[:96, :128], batch["photo"][0].permute(1, 2, 0).numpy())


def test_predictions_do_not_depend_on_the_company(fitted: Fitted) -> None:
    model = load_segmenter(fitted[0])
    photos = [
        Image.fromarray(photograph(wings(*size))) for size in ((96, 128), (128, 96), (96, 128))
    ]
    together = predict(model, photos, batch_size=2)
    alone = [predict(model, [photo])[0] for photo in photos]
    for ours, theirs in zip(together, alone, strict=True):
        assert np.allclose(ours, theirs, atol=1e-5)


def test_flips_are_turned_back_before_they_are_averaged(fitted: Fitted) -> None:
    model, photo = load_segmenter(fitted[0]), Image.fromarray(photograph(wings(80, 112)))
    mirrored = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    upturned = photo.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    one, left, up = (predict(model, [p])[0] for p in (photo, mirrored, upturned))
    found = predict(model, [photo], flips=True)[0]
    assert np.allclose(found, (one + left[:, ::-1] + up[::-1]) / 3, atol=1e-5)


def test_scores_do_not_depend_on_the_company(fitted: Fitted) -> None:
    model = load_segmenter(fitted[0])
    samples = []
    for number, size in enumerate([(96, 64), (64, 128), (96, 128)]):
        mask = wings(*size, seed=number)
        photo = torch.from_numpy(photograph(mask, number)).permute(2, 0, 1)
        truth = torch.from_numpy(mask.astype(np.uint8))[None]
        samples.append({"photo": photo, "mask": truth, "size": torch.tensor(size)})
    with torch.no_grad():
        together = model._alone(collate(samples))
        each = [model._alone(collate([sample]))[0] for sample in samples]
    for found, alone, sample in zip(together, each, samples, strict=True):
        height, width = sample["size"].tolist()
        assert torch.allclose(found[:, :height, :width], alone, atol=1e-5)


def test_larger_photographs_are_scaled_down() -> None:
    model = Segmenter(depth=1, width=4, working_px=64).eval()
    found = predict(model, [Image.new("RGB", (640, 480)), Image.new("RGB", (30, 20))])
    assert [f.shape for f in found] == [(48, 64), (20, 30)]


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.ckpt"):
        load_segmenter(path)


def test_a_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "pytorch-lightning_version": "2.6.6"}, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="holds no segmenter"):
        load_segmenter(tmp_path / "x.ckpt")
