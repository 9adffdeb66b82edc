import pickle
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.codes import load_autoencoder
from butterflies.encoding.network import (
    Decoder,
    Encoder,
    coarse,
    start_from_components,
    weigh_hue,
)
from butterflies.errors import UserError
from tests.autoencoders import batch_of, error, train
from tests.cutout_sets import blob, drawn
from tests.toy import Line


def blobs(count: int) -> dict[str, Tensor]:
    return batch_of([blob(seed, 128) for seed in range(count)])


def test_overfits_eight_drawn_specimens() -> None:
    batch = batch_of([drawn(number) for number in range(8)])
    model = Autoencoder(latent_dim=16, width=16, lr=5e-3)
    train(model, batch, 90)
    mean = batch["picture"].mean(0)
    assert error(model, batch) < 0.2 * float((mean - batch["picture"]).abs().mean())


@pytest.mark.parametrize("latent_dim", [3, 128])
def test_a_code_has_latent_dim_numbers(latent_dim: int) -> None:
    model = Autoencoder(latent_dim=latent_dim, width=4)
    codes = model.encode(torch.rand(2, 3, 128, 128))
    assert codes.shape == (2, latent_dim)
    pictures = model.decode(codes)
    assert pictures.shape == (2, 3, 128, 128)
    assert torch.equal(pictures, pictures.clamp(0, 1))


def test_before_training_codes_lie_like_principal_components() -> None:
    pictures = blobs(40)["picture"]
    encoder, decoder = Encoder(6, 4), Decoder(6, 4)
    torch.manual_seed(0)
    start_from_components(encoder, decoder, pictures)
    seen = weigh_hue(coarse(1 - pictures)).numpy()
    analysis = PCA(6, svd_solver="full").fit(seen)
    with torch.no_grad():
        codes = encoder(pictures)
        again = weigh_hue(coarse(1 - decoder(codes))).numpy()
    truth = torch.pdist(torch.from_numpy(analysis.transform(seen)))
    ratios = torch.pdist(codes) / truth
    assert float(ratios.std() / ratios.mean()) < 0.01
    assert float(codes.square().mean()) == pytest.approx(1, abs=0.01)
    best = analysis.inverse_transform(analysis.transform(seen))
    assert np.abs(again - seen).mean() < np.abs(best - seen).mean() + 0.05


def test_fewer_pictures_than_components_leave_the_other_numbers_free() -> None:
    pictures = blobs(5)["picture"]
    encoder, decoder = Encoder(9, 4), Decoder(9, 4)
    start_from_components(encoder, decoder, pictures)
    codes = encoder(pictures)
    assert codes[:, :4].abs().max() > 0.5
    assert torch.equal(codes[:, 5:], torch.zeros(5, 4))


def test_equal_pictures_do_not_break_the_start() -> None:
    model = Autoencoder(latent_dim=4, width=4)
    train(model, {name: values[:1].repeat_interleave(8, 0) for name, values in blobs(1).items()}, 1)
    assert all(bool(p.isfinite().all()) for p in model.parameters())


def test_the_picture_shows_originals_over_reconstructions() -> None:
    batch = blobs(3)
    name, grid = Autoencoder(latent_dim=4, width=4).picture(batch)
    assert name == "reconstruction"
    assert grid.shape == (256, 3 * 128, 3)
    original = (batch["picture"][1] * 255).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(grid[:128, 128:256], original)


def test_a_checkpoint_opens_anywhere(tmp_path: Path) -> None:
    batch = blobs(8)
    model = Autoencoder(latent_dim=5, width=4)
    path = tmp_path / "best.ckpt"
    train(model, batch, 2).save_checkpoint(path)
    torch.load(path, weights_only=True)
    opened = Autoencoder.load_from_checkpoint(path)
    assert opened.latent_dim == 5
    with torch.no_grad():
        codes = [m.eval().encode(batch["picture"]) for m in (model, opened, load_autoencoder(path))]
    assert torch.equal(codes[0], codes[1])
    assert torch.equal(codes[0], codes[2])


def test_training_goes_on_from_what_was_learned(tmp_path: Path) -> None:
    batch = blobs(8)
    model = Autoencoder(latent_dim=5, width=4)
    path = tmp_path / "best.ckpt"
    train(model, batch, 2).save_checkpoint(path)
    opened = Autoencoder.load_from_checkpoint(path, lr=0.0, weight_decay=0.0)
    train(opened, batch, 1)
    assert all(map(torch.equal, model.state_dict().values(), opened.state_dict().values()))


@pytest.mark.parametrize("name", ["latent_dim", "width"])
def test_a_model_without_numbers_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} is 0: give at least 1"):
        Autoencoder(**{name: 0})  # type: ignore[arg-type]


class Trap:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("sprung"),)


def spoil(path: Path, kind: str) -> None:
    if kind == "text":
        path.write_text("no checkpoint")
    elif kind == "empty":
        path.touch()
    elif kind == "trap":
        torch.save({"state_dict": Trap()}, path)
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(Trap(), protocol=2))
    elif kind == "other model":
        state = {"state_dict": Line().state_dict(), "hyper_parameters": {"lr": 0.1}}
        torch.save({**state, "pytorch-lightning_version": version("pytorch-lightning")}, path)
    elif kind == "list":
        torch.save([1, 2], path)


@pytest.mark.parametrize("kind", ["text", "empty", "trap", "pickle", "other model", "list"])
def test_what_is_no_autoencoder_is_told_in_a_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "best.ckpt"
    spoil(path, kind)
    with pytest.raises(UserError, match="holds no autoencoder: give autoencoder="):
        load_autoencoder(path)
    assert not Path("sprung").exists()


def test_a_missing_checkpoint_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.ckpt does not exist"):
        load_autoencoder(tmp_path / "gone.ckpt")
