"""An autoencoder's networks by name, and what its settings must keep to."""

from typing import Any

from torch import nn

from butterflies.encoding.article import ArticleDecoder, ArticleEncoder
from butterflies.encoding.dictionary import DictionaryEncoder
from butterflies.encoding.network import Decoder, Encoder
from butterflies.errors import UserError

PROJECTION_DIM = 256
"""Numbers that views are told apart by, where they are contrasted (`contrast`)."""


def networks(network: str, latent_dim: int, width: int, variational: bool) -> tuple[Any, Any]:
    """Encoder and decoder of a kind.

    Raises:
        UserError: there is no such network, or not in this form.
    """
    if network == "article":
        return ArticleEncoder(latent_dim, variational), ArticleDecoder(latent_dim)
    if network == "patches":
        return Encoder(latent_dim, width, variational), Decoder(latent_dim, width)
    if network != "dictionary":
        raise UserError(f"model.network={network}: choose patches, dictionary or article.")
    if variational:
        raise UserError(
            "model.beta wants codes that may lie anywhere, but those of network=dictionary have "
            "one length: give model.beta=0, or model.network=patches."
        )
    return DictionaryEncoder(latent_dim), Decoder(latent_dim, width)


def projector(latent_dim: int) -> nn.Module:
    """Codes (n, latent_dim) to what is contrasted (n, PROJECTION_DIM), as in SimCLR."""
    return nn.Sequential(
        nn.Linear(latent_dim, PROJECTION_DIM),
        nn.ReLU(),
        nn.Linear(PROJECTION_DIM, PROJECTION_DIM),
    )


def check(given: Any) -> None:
    """Says what makes no sense in a model's settings.

    Raises:
        UserError: a number is out of range.
    """
    for name in ("latent_dim", "width"):
        if given[name] < 1:
            raise UserError(f"model.{name} is {given[name]}: give at least 1.")
    weights = ("foreground", "hue", "gradients", "beta", "augmentation", "consistency")
    for name in (*weights, "decorrelation", "variance", "contrast", "encoder_lr"):
        if given[name] < 0:
            raise UserError(f"model.{name} is {given[name]}: give 0 (without it) or more.")
    if given.temperature <= 0:
        raise UserError(f"model.temperature is {given.temperature}: give more than 0.")
    if not 0 <= given.masking < 1:
        raise UserError(f"model.masking is {given.masking}: give a share from 0 to below 1.")
