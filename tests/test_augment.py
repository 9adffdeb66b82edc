import numpy as np
import pytest
import torch

from butterflies.encoding import augment
from butterflies.encoding.augment import HIDDEN_PX, chances, hide, mirror, vary
from butterflies.encoding.cache import on_white
from tests.cutout_sets import blob

KEYS = torch.arange(6)


def blobs(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    return on_white(
        torch.from_numpy(np.stack([blob(n, 128).transpose(2, 0, 1) for n in range(count)]))
    )


def test_chances_follow_from_key_epoch_and_use_alone() -> None:
    whole = chances(KEYS, 3, 1, 5)
    assert torch.equal(whole[4:], chances(KEYS[4:], 3, 1, 5))
    assert torch.equal(whole[:, :2], chances(KEYS, 3, 1, 2))
    for other in (chances(KEYS + 6, 3, 1, 5), chances(KEYS, 4, 1, 5), chances(KEYS, 3, 2, 5)):
        assert not torch.isclose(whole, other).any()


@pytest.mark.parametrize("bits", [0, -1])
def test_chances_reach_neither_0_nor_1(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "_mixed", lambda x: torch.full_like(x, bits))
    drawn = chances(KEYS, 3, 1, 5)
    assert torch.special.ndtri(drawn).isfinite().all()
    assert torch.all((drawn < 1e-6) if bits == 0 else (drawn > 1 - 1e-6))


def test_chances_are_even_and_independent() -> None:
    drawn = torch.cat([chances(torch.arange(20_000), epoch, 0, 4) for epoch in (0, 1)], 1)
    assert 0 < float(drawn.min()) < float(drawn.max()) < 1
    counts = torch.histc(drawn, 10, 0, 1) / drawn.numel()
    assert torch.allclose(counts, torch.full((10,), 0.1), atol=0.005)
    found = torch.corrcoef(drawn.T) - torch.eye(8)
    assert float(found.abs().max()) < 0.03
    assert abs(float(torch.corrcoef(torch.stack([drawn[1:, 0], drawn[:-1, 0]]))[0, 1])) < 0.03


def test_keys_may_be_any_64_bits() -> None:
    ends = torch.tensor([-(2**63), -1, 0, 1, 2**63 - 1])
    assert len(set(chances(ends, 0, 0, 1)[:, 0].tolist())) == 5


def test_half_of_the_pictures_are_mirrored() -> None:
    picture, alpha = (values.tril() for values in blobs(2))
    shown, shown_alpha = mirror(picture, alpha, torch.tensor([0.2, 0.7]))
    assert torch.equal(shown[0], picture[0].flip(2))
    assert torch.equal(shown_alpha[0], alpha[0].flip(2))
    assert torch.equal(shown[1], picture[1])


@pytest.mark.parametrize("strength", [0.5, 2.0])
def test_varying_leaves_the_background_white_and_the_range(strength: float) -> None:
    picture, alpha = blobs(6)
    shown = vary(picture, alpha, chances(KEYS, 0, 0, 9), strength)
    assert shown.shape == picture.shape
    assert torch.equal(shown, shown.clamp(0, 1))
    corners = shown[:, :, [0, -1]][..., [0, -1]]
    assert float(corners.min()) > 1 - 1e-5
    assert not torch.allclose(shown, picture, atol=0.05)


def test_varying_without_strength_changes_nothing_to_be_seen() -> None:
    picture, alpha = blobs(6)
    assert torch.allclose(vary(picture, alpha, chances(KEYS, 0, 0, 9), 0.0), picture, atol=1e-2)


def test_hiding_blanks_whole_squares() -> None:
    picture = torch.zeros(200, 3, 64, 64)
    shown = hide(picture, chances(torch.arange(200), 0, 0, 16), 0.25)
    squares = shown.unfold(2, HIDDEN_PX, HIDDEN_PX).unfold(3, HIDDEN_PX, HIDDEN_PX)
    assert torch.equal(squares.amin((-2, -1)), squares.amax((-2, -1)))
    assert float(shown.mean()) == pytest.approx(0.25, abs=0.03)
