"""Every model of `conf/model` that makes codes."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_module
from torch import Tensor

from butterflies.encoding import dictionary
from butterflies.encoding.article import ArticleDecoder, ArticleEncoder
from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.codes import load_autoencoder
from butterflies.encoding.network import Decoder
from butterflies.errors import UserError
from butterflies.tracking.runs import instantiated
from tests.autoencoders import batch_of, error, train
from tests.cutout_sets import drawn

CONF = Path(__file__).parent.parent / "conf" / "model"
NAMES = sorted(path.stem for path in CONF.glob("*.yaml") if path.stem != "segmenter")
SMALL = ["model.latent_dim=6", "model.width=8", "model.lr=5e-3"]


def built(name: str, *words: str) -> Autoencoder:
    pl.seed_everything(0, verbose=False)
    chosen = ["experiment=autoencoder", f"model={name}", "collection=x", *SMALL, *words]
    with initialize_config_module("butterflies.conf", version_base="1.3"):
        config = compose("train", overrides=chosen)
    model: Autoencoder = instantiated(config.model)
    return model


def batch(count: int = 6) -> dict[str, Tensor]:
    return batch_of([drawn(number) for number in range(count)])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "article"])
def test_a_model_learns_to_rebuild_what_it_is_shown(name: str) -> None:
    shown, model = batch(), built(name)
    train(model, shown, 60)
    mean = shown["picture"].mean(0)
    assert error(model, shown) < 0.6 * float((mean - shown["picture"]).abs().mean())


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_the_same_again_and_opens_anywhere(name: str, tmp_path: Path) -> None:
    shown, model, same = batch(4), built(name), built(name)
    train(model, shown, 2).save_checkpoint(tmp_path / "best.ckpt")
    train(same, shown, 2)
    opened = load_autoencoder(tmp_path / "best.ckpt")
    torch.load(tmp_path / "best.ckpt", weights_only=True)
    with torch.no_grad():
        codes = [m.eval().encode(shown["picture"]) for m in (model, same, opened)]
    assert codes[0].shape == (4, 6)
    assert torch.equal(codes[0], codes[1])
    assert torch.equal(codes[0], codes[2])


def test_the_articles_networks_are_as_large_as_it_says() -> None:
    def count(*modules: torch.nn.Module) -> int:
        return sum(p.numel() for module in modules for p in module.parameters())

    decoder = ArticleDecoder(128)
    assert count(ArticleEncoder(128), decoder) == 9_293_635
    assert count(ArticleEncoder(128, variational=True), decoder) == 9_326_915


def test_beta_grows_over_the_warm_up() -> None:
    model, seen = built("vae", "model.beta=0.8", "model.warmup=0.5"), []

    class Watch(pl.Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            seen.append(model.weights()["kl"])

    train(model, batch(2), 8, Watch())
    assert seen == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.8])


def test_codes_by_dictionary_are_of_one_length_and_stay_as_they_started() -> None:
    shown, model = batch(), built("dictionary")
    train(model, shown, 1)
    with torch.no_grad():
        first = model.encode(shown["picture"])
    train(model, shown, 3)
    with torch.no_grad():
        assert torch.equal(model.encode(shown["picture"]), first)
    assert torch.allclose(first.norm(dim=1), torch.full((6,), 6**0.5), atol=1e-4)


def test_codes_by_dictionary_tell_patterns_of_the_same_lightness_apart() -> None:
    def stripes(period: int, turned: bool, shift: int) -> Tensor:
        line = ((torch.arange(128) + shift) % period < period // 2).float()
        wave = line.expand(128, 128) if not turned else line[:, None].expand(128, 128)
        picture = torch.ones(3, 128, 128)
        picture[:, 20:108, 20:108] = wave[20:108, 20:108] * 0.6
        return picture

    kinds = [(16, False), (16, True), (32, False), (32, True)]
    shown = torch.stack([stripes(p, t, shift) for p, t in kinds for shift in range(0, 16, 2)])
    encoder = dictionary.DictionaryEncoder(8)
    dictionary.start_from_dictionary(encoder, Decoder(8, 4), shown)
    with torch.no_grad():
        codes = encoder(shown)
    apart = torch.cdist(codes, codes) + 100 * torch.eye(len(codes))
    assert torch.equal(apart.argmin(1) // 8, torch.arange(len(codes)) // 8)


def test_white_pictures_have_no_dictionary() -> None:
    encoder, white = dictionary.DictionaryEncoder(8), torch.ones(3, 3, 128, 128)
    with pytest.raises(UserError, match="All pictures to train on are white"):
        dictionary.start_from_dictionary(encoder, Decoder(8, 4), white)


def test_a_variational_code_has_no_one_length() -> None:
    with pytest.raises(UserError, match=r"give model\.beta=0, or model\.network=patches"):
        Autoencoder(network="dictionary", beta=0.1)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("network", "resnet", "choose patches, dictionary or article"),
        ("masking", 1.0, "give a share"),
        ("consistency", -1.0, "give 0"),
        ("encoder_lr", -1.0, "give 0"),
        ("temperature", 0.0, "give more than 0"),
    ],
)
def test_settings_that_make_no_sense_are_told(key: str, value: Any, told: str) -> None:
    with pytest.raises(UserError, match=told):
        Autoencoder(**{key: value})
